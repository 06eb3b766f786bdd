//! Python reads the records that we write, and the reverse; each refuses what the other spoiled.
//!
//! `record.py` is written from `docs/record-format.md` alone. Without a `python3` that has the package `cryptography`
//! these tests are skipped, which is an error where `VOUCHSAFE_REQUIRE_SERVICES` is set.
#![expect(clippy::indexing_slicing, clippy::unwrap_used, reason = "a test stops at the first surprise")]

mod case;
mod python;
mod spoil;

use std::sync::Mutex;

use serde_json::json;
use vouchsafe_envelope::{record, test_util, tree::KeyTree};
use vouchsafe_types::{DataClass, Entropy, EntropyUnavailable, LeafIndex};

use case::{Case, Stream, hex, unhex};
use python::Python;

const RECORDS: usize = 200;

/// Lengths around the ends of chunks; the rest are drawn.
const LENGTHS: [usize; 8] = [0, 1, 2048, 16_383, 16_384, 16_385, 32_768, 40_000];

fn random_cases(stream: &Stream) -> Vec<Case> {
    let len = |number: usize| LENGTHS.get(number).copied();
    (0..RECORDS).map(|number| Case::random(stream, len(number))).collect()
}

#[test]
fn python_opens_what_we_seal() {
    let Some(python) = Python::find() else { return };
    let stream = Stream::new("python opens");
    let cases = random_cases(&stream);
    let requests: Vec<_> =
        cases.iter().map(|case| case.request("open", "sealed", &case.seal(&stream))).collect();
    let mut bytes = 0;
    for (case, answer) in cases.iter().zip(python.ask(&requests)) {
        assert_eq!(answer, json!({ "plaintext": hex(&case.plaintext) }), "{:?}", case.context);
        bytes += case.plaintext.len();
    }
    println!("interop: Python opened {} records of ours, {bytes} bytes of plaintext", cases.len());
}

#[test]
fn we_open_what_python_seals() {
    let Some(python) = Python::find() else { return };
    let cases = random_cases(&Stream::new("we open"));
    let requests: Vec<_> =
        cases.iter().map(|case| case.request("seal", "plaintext", &case.plaintext)).collect();
    for (case, answer) in cases.iter().zip(python.ask(&requests)) {
        let sealed = unhex(&answer["sealed"]);
        assert_eq!(case.open(&sealed).unwrap(), case.plaintext, "{:?}", case.context);
        assert_eq!(sealed.len(), record::sealed_len(case.plaintext.len()));
    }
    println!("interop: we opened {} records of Python's", cases.len());
}

#[test]
fn both_give_the_bytes_of_the_page() {
    let Some(python) = Python::find() else { return };
    let page = include_str!("../../docs/record-format.md").replace('\n', "");
    let case = Case::of_the_page();
    let mut request = case.request("seal", "plaintext", &case.plaintext);
    request["salt"] = json!("02".repeat(24));
    let sealed = python.ask(&[request]).remove(0)["sealed"].as_str().unwrap().to_owned();
    assert!(page.contains(&sealed), "{sealed}");
    assert_eq!(case.open(&unhex(&json!(sealed))).unwrap(), b"example");
}

#[test]
fn both_refuse_what_either_spoiled() {
    let Some(python) = Python::find() else { return };
    let stream = Stream::new("both refuse");
    let cases = [Case::of_the_page(), Case::random(&stream, Some(3)), Case::random(&stream, Some(40_000))];
    for case in cases {
        let answer = python.ask(&[case.request("spoil", "plaintext", &case.plaintext)]).remove(0);
        let theirs = answer["spoiled"].as_array().unwrap().iter();
        let theirs: Vec<_> =
            theirs.map(|pair| (pair[0].as_str().unwrap().to_owned(), unhex(&pair[1]))).collect();
        let ours = spoil::spoil(&case, &stream);
        let names = |list: &[(String, Vec<u8>)]| list.iter().map(|(how, _)| how.clone()).collect::<Vec<_>>();
        assert_eq!(names(&ours), names(&theirs), "both sides spoil in the same ways");
        for (by, spoiled) in [("us", ours), ("Python", theirs)] {
            let requests: Vec<_> =
                spoiled.iter().map(|(_, sealed)| case.request("open", "sealed", sealed)).collect();
            for ((how, sealed), answer) in spoiled.iter().zip(python.ask(&requests)) {
                let refusal = case.open(sealed).expect_err(how);
                assert_eq!(answer, json!({ "refused": refusal }), "{how}, by {by}");
            }
            println!(
                "interop: {} records of {} bytes spoiled by {by}: all refused by both, with the same error",
                spoiled.len(),
                case.plaintext.len()
            );
        }
    }
}

/// Keeps what it gave.
struct Recorded<'s>(&'s Stream, Mutex<Vec<Vec<u8>>>);

impl Entropy for Recorded<'_> {
    fn fill(&self, buffer: &mut [u8]) -> Result<(), EntropyUnavailable> {
        self.0.fill(buffer)?;
        self.1.lock().unwrap().push(buffer.to_vec());
        Ok(())
    }
}

#[test]
fn both_derive_the_same_keys() {
    let Some(python) = Python::find() else { return };
    let stream = Stream::new("derive");
    let mut compared = 0;
    for class in DataClass::ALL {
        let drawn = Recorded(&stream, Mutex::default());
        let state = test_util::state(&drawn, class, (1 << 40) - 1).unwrap();
        let drawn = drawn.1.into_inner().unwrap();
        let [_, _, _, data_key, root] = drawn.as_slice() else { unreachable!("{} draws", drawn.len()) };
        let encoded = [&[1, 48, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0][..], root].concat();
        let mut tree = <KeyTree>::decode(&encoded).unwrap();
        let region = u64::from(class.code()) << 40;
        let index = || LeafIndex::new(region | (stream.number() % ((1 << 40) - 1))).unwrap();
        // What is left after punctures gives the same keys as the root.
        tree.puncture(&(0..50).map(|_| index()).collect::<Vec<_>>()).unwrap();
        let leaves: Vec<_> = (0..100).map(|_| index()).filter(|leaf| !tree.is_punctured(*leaf)).collect();
        let ask = |leaf: &LeafIndex| json!({ "do": "derive", "root": hex(root), "data_key": hex(data_key), "leaf": leaf.get() });
        let answers = python.ask(&leaves.iter().map(ask).collect::<Vec<_>>());
        for (leaf, answer) in leaves.iter().zip(answers) {
            let record_key = test_util::leaf_record_key(&state, *leaf, 1).unwrap();
            let ours = json!({
                "leaf_key": hex(tree.leaf(*leaf).unwrap().expose_secret()),
                "record_key": hex(test_util::record_key_bytes(&record_key).expose_secret()),
            });
            assert_eq!(answer, ours, "leaf {}", leaf.get());
            compared += 1;
        }
    }
    assert!(compared > 1000);
    println!(
        "interop: leaf key and record key agree at {compared} leaves of {} states",
        DataClass::ALL.len()
    );
}
