//! What hands back consent by wire: an unsubscribe token, a receipt for machines, a one-click body.
#![no_main]

use libfuzzer_sys::fuzz_target;
use vouchsafe::consent::receipt::Iso27560;
use vouchsafe::consent::{UnsubscribeToken, is_one_click_post, list_unsubscribe_headers};

fuzz_target!(|bytes: &[u8]| {
    if let Ok(token) = UnsubscribeToken::from_bytes(bytes) {
        assert_eq!(token.to_bytes().as_slice(), bytes);
        assert!(token.scope().is_ok_and(|scope| scope.modality().is_none()));
    }
    let one_click = is_one_click_post(bytes);
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    assert!(!one_click || text.contains("One-Click"));
    if let Ok(receipt) = Iso27560::from_json(text) {
        let again = Iso27560::from_json(&receipt.to_json()).expect("what was written reads back");
        assert_eq!(again.to_json(), receipt.to_json());
    }
    if let Ok(headers) = list_unsubscribe_headers(text, "token") {
        for (_, value) in headers {
            assert!(!value.contains(['\r', '\n']));
        }
    }
});
