use std::sync::Arc;
use std::time::Duration;

use vouchsafe_ledger::{LedgerError, LogPlace};
use vouchsafe_objects::{BucketLogs, LeaseTerms};
use vouchsafe_types::{Clock, Timestamp};

use crate::scene::Scene;

struct Still(std::sync::Mutex<Timestamp>);

impl Clock for Still {
    fn now(&self) -> Timestamp {
        *self.0.lock().unwrap()
    }
}

#[test]
fn only_the_holder_of_the_lease_writes() {
    for scene in Scene::all("objects: logs") {
        let clock = Arc::new(Still(std::sync::Mutex::new(Timestamp::from_second(1_700_000_000).unwrap())));
        let advance = |seconds| {
            let mut now = clock.0.lock().unwrap();
            *now = now.checked_add(Duration::from_secs(seconds)).unwrap();
        };
        let (tiles, outside) = (scene.bucket(), scene.bucket());
        let open = || {
            BucketLogs::open(tiles.clone(), outside.clone(), LeaseTerms::default(), clock.clone()).unwrap()
        };
        let (one, two) = (open().log("abc123").unwrap(), open().log("abc123").unwrap());
        assert_eq!(one.tiles().write("checkpoint", b"x"), Err(LedgerError::Leased));
        assert_eq!(one.outside().swap(None, b"x"), Err(LedgerError::Leased));
        let lease = one.lease().unwrap();
        assert_eq!(one.lease().err(), Some(LedgerError::Leased));
        assert_eq!(two.lease().err(), Some(LedgerError::Leased));
        one.tiles().write("tile/0/000", b"tile").unwrap();
        one.outside().swap(None, b"note").unwrap();
        // It is renewed while it writes.
        for part in 0..4 {
            advance(20);
            one.tiles().write(&format!("tile/0/000.p/{}", part + 1), b"tile").unwrap();
        }
        assert_eq!(two.lease().err(), Some(LedgerError::Leased));
        drop(lease);
        let taken = two.lease().unwrap();
        assert_eq!(two.tiles().read("tile/0/000").unwrap().as_deref(), Some(&b"tile"[..]));
        assert_eq!(two.outside().load().unwrap().as_deref(), Some(&b"note"[..]));
        // A holder that slept too long writes nothing any more.
        advance(36);
        let _third = one.lease().unwrap();
        assert_eq!(two.tiles().write("checkpoint", b"x"), Err(LedgerError::Leased));
        drop(taken);
        one.tiles().write("checkpoint", b"y").unwrap();
        assert_eq!(one.repairs().read("checkpoint").unwrap().as_deref(), Some(&b"y"[..]));

        let other = open().log("other").unwrap();
        assert_eq!(other.tiles().read("checkpoint"), Ok(None));
        for name in ["", "a/b", "..", "A", &"a".repeat(65)] {
            assert_eq!(open().log(name).err(), Some(LedgerError::Name), "{name}");
        }
    }
}
