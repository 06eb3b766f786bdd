use std::time::Duration;

use vouchsafe_objects::{Bucket, BucketConfig, BucketCredentials, ObjectsError};
use vouchsafe_testkit::services::tls::{ROOT, is_alert, serve_1_1};
use vouchsafe_types::SecretBytes;

fn config(endpoint: &str) -> BucketConfig {
    let credentials = BucketCredentials::new("key", SecretBytes::new(b"secret".to_vec()));
    BucketConfig::new(endpoint, "bucket", credentials).timeout(Duration::from_secs(5))
}

/// Promise: WB-3-transit
#[test]
fn a_server_of_tls_1_1_is_refused_and_hears_no_request() {
    let (address, heard) = serve_1_1().unwrap();
    let bucket = Bucket::new(config(&format!("https://{address}")).ca_certificates(ROOT)).unwrap();
    assert_eq!(bucket.get("object").map(drop), Err(ObjectsError::Identity));
    assert!(is_alert(&heard.recv_timeout(Duration::from_secs(5)).unwrap()));
}

/// Promise: WB-3-transit
#[test]
fn a_remote_server_without_tls_is_refused_before_anything_is_sent() {
    for plain in ["http://192.0.2.1:9000", "http://objects.example", "http://10.0.0.1"] {
        assert_eq!(Bucket::new(config(plain)).map(drop), Err(ObjectsError::Address), "{plain}");
    }
    assert!(Bucket::new(config("http://127.0.0.1:9000")).is_ok());
}
