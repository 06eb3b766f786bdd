use std::time::Duration;

use vouchsafe_keys::{KeysError, OpenBao, OpenBaoConfig};
use vouchsafe_testkit::services::tls::{ROOT, is_alert, serve_1_1};

use super::token;

/// Promise: WB-3-transit
#[test]
fn a_server_of_tls_1_1_is_refused_and_hears_no_token() {
    let (address, heard) = serve_1_1().unwrap();
    let config = OpenBaoConfig::new(&format!("https://{address}"), ROOT, token("hunter22"));
    assert_eq!(OpenBao::connect(config).map(drop), Err(KeysError::TooOpen));
    assert!(is_alert(&heard.recv_timeout(Duration::from_secs(5)).unwrap()));
}

/// Promise: WB-3-transit
#[test]
fn a_remote_server_without_tls_is_refused_before_anything_is_sent() {
    for plain in ["http://192.0.2.1:8200", "http://bao.example"] {
        let config = OpenBaoConfig::new(plain, ROOT, token("hunter22"));
        assert_eq!(OpenBao::connect(config).map(drop), Err(KeysError::Misconfigured), "{plain}");
    }
}
