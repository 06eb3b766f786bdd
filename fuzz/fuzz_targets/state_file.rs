//! A stored state's file: with the right checksums of its head and of the whole, and without.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use ring::digest::{SHA256, digest};
use tempfile::TempDir;
use vouchsafe_envelope::StateStoreError;
use vouchsafe_envelope::port::{StateStore, StateVersion};
use vouchsafe_fuzz::{acme, folder, put, put_summed};
use vouchsafe_keys::FolderStates;

static FOLDER: LazyLock<TempDir> = LazyLock::new(folder);

fuzz_target!(|bytes: &[u8]| {
    let states = FolderStates::open(FOLDER.path()).expect("a folder of our own");
    let path = FOLDER.path().join("acme.state");
    put(&path, bytes);
    let _ = states.version(&acme());
    match states.read(&acme()) {
        Ok(blob) => assert!(blob.is_some_and(|blob| bytes.len() == 40 + 32 + blob.len())),
        Err(error) => assert_eq!(error, StateStoreError::Corrupt),
    }

    put_summed(&path, bytes);
    let _ = (states.version(&acme()), states.read(&acme()));

    let (head, rest) = bytes.split_at(bytes.len().min(32));
    let bytes = &[head, &digest(&SHA256, head).as_ref()[..8], rest].concat();
    put_summed(&path, bytes);
    let after = StateVersion { generation: u64::MAX, revision: u64::MAX };
    match states.read(&acme()) {
        Ok(blob) => {
            let version = states.version(&acme()).expect("its head is read").expect("it is there");
            let (generation, revision) = (version.generation.to_be_bytes(), version.revision.to_be_bytes());
            let blob = blob.expect("it is there");
            let head = [b"vouchsafe state\x02", &generation[..], &revision].concat();
            assert_eq!([&head, &digest(&SHA256, &head).as_ref()[..8], &blob].concat(), *bytes);
            let written = states.write(&acme(), StateVersion { generation: 1, revision: 1 }, b"example");
            let older = version > StateVersion { generation: 1, revision: 1 };
            assert_eq!(written, if older { Err(StateStoreError::OlderGeneration) } else { Ok(()) });
            states.write(&acme(), after, b"example").expect("room on the disk");
        }
        Err(error) => {
            assert_eq!(error, StateStoreError::Corrupt);
            assert_eq!(states.write(&acme(), after, b"example"), Err(error));
            states.overwrite(&acme(), after, b"example").expect("room on the disk");
        }
    }
    assert_eq!(states.read(&acme()), Ok(Some(b"example".to_vec())));
    assert_eq!(states.version(&acme()), Ok(Some(after)));
});
