//! Writes the seeds of every target, small and valid: `cargo run --example seeds -- seeds`.

use std::error::Error;
use std::fs;
use std::io::Cursor;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use image::{DynamicImage, ImageFormat, RgbImage};
use ring::digest::{SHA256, digest};
use vouchsafe_embed::ModelRole;
use vouchsafe_envelope::cobblestone;
use vouchsafe_envelope::record::seal;
use vouchsafe_envelope::tree::KeyTree;
use vouchsafe_fuzz::{Fixed, ORIGIN, acme, context, leaf, record_key, seal_state, signer};
use vouchsafe_ledger::{Checkpoint, EntryKind, Leaf, Opening, commitment, merkle};
use vouchsafe_retention::{Facts, ItemId, PersonalAct, Plan, Policy};
use vouchsafe_types::{DataClass, LeafIndex, Modality, Role, Secret};

type Step<T = ()> = Result<T, Box<dyn Error>>;

fn main() -> Step {
    let folder = PathBuf::from(std::env::args().nth(1).ok_or("where to?")?);
    pictures(&folder)?;
    keys(&folder)?;
    log(&folder)?;
    people(&folder)?;
    retention(&folder)?;
    models(&folder)
}

fn put(folder: &Path, target: &str, name: &str, bytes: impl AsRef<[u8]>) -> Step {
    let folder = folder.join(target);
    fs::create_dir_all(&folder)?;
    Ok(fs::write(folder.join(name), bytes)?)
}

/// A drawn square of 32 pixels, in every format and a few of their kinds.
fn pictures(folder: &Path) -> Step {
    let drawn = RgbImage::from_fn(32, 32, |x, y| image::Rgb([x as u8 * 8, y as u8 * 8, (x * y / 4) as u8]));
    let drawn = DynamicImage::from(drawn);
    let small = drawn.crop_imm(0, 0, 8, 4);
    let encode = |picture: &DynamicImage, format| {
        let mut bytes = Cursor::new(Vec::new());
        picture.write_to(&mut bytes, format).map(|()| bytes.into_inner())
    };
    let jpeg = encode(&drawn, ImageFormat::Jpeg)?;
    put(folder, "image_decode", "rgb.jpg", &jpeg)?;
    put(folder, "image_decode", "turned.jpg", turned(&jpeg))?;
    put(folder, "image_decode", "grey.jpg", encode(&drawn.to_luma8().into(), ImageFormat::Jpeg)?)?;
    put(folder, "image_decode", "rgb.png", encode(&drawn, ImageFormat::Png)?)?;
    put(folder, "image_decode", "rgba.png", encode(&small.to_rgba8().into(), ImageFormat::Png)?)?;
    put(folder, "image_decode", "grey16.png", encode(&small.to_luma16().into(), ImageFormat::Png)?)?;
    put(folder, "image_decode", "rgb.webp", encode(&small, ImageFormat::WebP)?)?;
    put(folder, "image_decode", "rgba.webp", encode(&small.to_rgba8().into(), ImageFormat::WebP)?)
}

/// The JPEG with an Exif segment behind its first marker: orientation 6.
fn turned(jpeg: &[u8]) -> Vec<u8> {
    const EXIF: [u8; 36] = [
        0xff, 0xe1, 0, 34, b'E', b'x', b'i', b'f', 0, 0, b'M', b'M', 0, 42, 0, 0, 0, 8, 0, 1, 0x01, 0x12, 0,
        3, 0, 0, 0, 1, 0, 6, 0, 0, 0, 0, 0, 0,
    ];
    let (start, rest) = jpeg.split_at(2);
    [start, &EXIF, rest].concat()
}

fn keys(folder: &Path) -> Step {
    put(folder, "record_open", "empty", seal(&record_key(), &context(), b"", &Fixed(2))?)?;
    put(folder, "record_open", "short", seal(&record_key(), &context(), b"example", &Fixed(5))?)?;

    let mut tree = <KeyTree>::generate(&Fixed(1))?;
    put(folder, "tree_decode", "whole", tree.encode().expose_secret())?;
    put(folder, "state_open", "fresh", state(1, &[], &tree))?;
    put(folder, "state_open", "sealed", seal_state(1, &state(1, &[(1, 64)], &tree)))?;
    put(folder, "state_open", "allocated", state(1, &[(1, 64), (2, 128), (7, 64)], &tree))?;
    tree.puncture(&[leaf(), LeafIndex::new(7)?]);
    put(folder, "tree_decode", "punctured", tree.encode().expose_secret())?;
    put(folder, "state_open", "punctured", state(2, &[(1, 64)], &tree))?;
    let mut small = KeyTree::<8>::generate(&Fixed(1))?;
    small.puncture(&[LeafIndex::new(3)?, LeafIndex::new(200)?]);
    put(folder, "tree_decode", "small", small.encode().expose_secret())?;

    let key = |generation: u64| {
        let id = acme();
        let length = u8::try_from(id.as_str().len()).unwrap_or_default();
        [&[length], id.as_str().as_bytes(), &generation.to_be_bytes(), &[7; 32]].concat()
    };
    let head = b"vouchsafe keys\0\x01";
    put(folder, "key_file", "empty", [&head[..], &0u32.to_be_bytes()].concat())?;
    let two = [&head[..], &2u32.to_be_bytes(), &key(1), &key(2)].concat();
    put(folder, "key_file", "two", &two)?;
    tokens(folder)?;
    protected(folder, &two)
}

/// What a PKCS#11 token gives.
fn tokens(folder: &Path) -> Step {
    put(folder, "pkcs11_object", "id", b"vouchsafe\x01\x04acme\0\0\0\0\0\0\0\x02")?;
    put(folder, "pkcs11_object", "longest", [&b"vouchsafe\x01\x40"[..], &[b'z'; 64], &[0xff; 8]].concat())?;
    put(folder, "pkcs11_object", "wrap", [&[1][..], &[3; 12], &[4; 48]].concat())
}

/// Contents behind the passphrase of the target, at the cost that it has there.
fn protected(folder: &Path, contents: &[u8]) -> Step {
    let numbers = [8u32, 1, 1].map(u32::to_be_bytes).concat();
    let header = [&b"vouchsafe keys\0\x02"[..], &numbers, &[6; 16]].concat();
    let params = argon2::Params::new(8, 1, 1, Some(32)).map_err(|error| error.to_string())?;
    let argon = argon2::Argon2::new(argon2::Algorithm::Argon2id, argon2::Version::V0x13, params);
    let mut key = [0; 32];
    argon.hash_password_into(b"example", &[6; 16], &mut key).map_err(|error| error.to_string())?;
    let key = Secret::init_with(|own| *own = key);
    let message = cobblestone::seal(&key, &header, contents, &Fixed(2))?;
    put(folder, "key_file_passphrase", "two", [&header[..], &message].concat())?;
    let costly = [&b"vouchsafe keys\0\x02"[..], &[0xff; 12], &[6; 16], &message].concat();
    put(folder, "key_file_passphrase", "costly", costly)
}

/// The plaintext of a state, as its specification says.
fn state(generation: u64, counters: &[(u8, u64)], tree: &KeyTree) -> Vec<u8> {
    let mut bytes = vec![1];
    bytes.extend_from_slice(&generation.to_be_bytes());
    bytes.extend_from_slice(&3u64.to_be_bytes());
    bytes.extend_from_slice(&[4; 32]);
    bytes.extend_from_slice(&[5; 32]);
    bytes.extend_from_slice(&[counters.len() as u8]);
    for (class, next) in counters {
        bytes.push(*class);
        bytes.extend_from_slice(&next.to_be_bytes());
    }
    bytes.extend_from_slice(tree.encode().expose_secret());
    bytes
}

fn entry(kind: EntryKind, commitment: [u8; 32]) -> Leaf {
    Leaf { kind, hour: 498_764, organisation: [7; 16], commitment }
}

fn log(folder: &Path) -> Step {
    for kind in EntryKind::ALL {
        put(folder, "ledger_leaf", kind.name(), entry(kind, [9; 32]).to_bytes())?;
    }
    let bundle =
        [&[0, 3][..], b"one", &[0, 0], &[0, 55], &entry(EntryKind::ConsentGiven, [9; 32]).to_bytes()];
    put(folder, "ledger_bundle", "three", bundle.concat())?;

    let hashes: Vec<_> =
        (0..4).map(|number| merkle::leaf_hash(format!("leaf {number}").as_bytes())).collect();
    let checkpoint = Checkpoint::new(ORIGIN, 4, merkle::tree_hash(&hashes))?;
    let note = signer().sign(&checkpoint.to_string())?;
    put(folder, "ledger_checkpoint", "body", checkpoint.to_string())?;
    put(folder, "ledger_checkpoint", "note", &note)?;
    put(folder, "ledger_note", "note", &note)?;
    put(folder, "ledger_note", "text", "a text\n\nof two paragraphs\n")?;
    put(folder, "ledger_note", "key", signer().verifier().to_string())?;

    let proof = [hashes[2], merkle::tree_hash(&hashes[..2])].map(|hash| STANDARD.encode(hash.as_bytes()));
    let proof = format!("index 3\n{}\n\n{note}", proof.join("\n"));
    put(folder, "ledger_proof", "plain", format!("c2sp.org/tlog-proof@v1\n{proof}"))?;
    put(folder, "ledger_proof", "extra", format!("c2sp.org/tlog-proof@v1\nextra AAEC\n{proof}"))?;
    let sizes = |old: u64, new: u64| [old.to_be_bytes(), new.to_be_bytes()].concat();
    put(folder, "ledger_merkle", "sizes", sizes(3, 7))?;
    put(folder, "ledger_merkle", "proof", [sizes(40, 69), vec![8; 96]].concat())?;
    put(folder, "ledger_merkle", "large", [sizes(1 << 40, u64::MAX), vec![8; 96]].concat())?;

    let paths = ["checkpoint", "tile/0/999.p/255", "tile/7/x001/000", "tile/entries/x001/x234/067"];
    for (number, path) in paths.iter().enumerate() {
        put(folder, "ledger_tilepath", &number.to_string(), path)?;
    }
    Ok(())
}

fn people(folder: &Path) -> Step {
    let opening = Opening::from_secret(Secret::init_with(|bytes| bytes.fill(6)));
    let payload = br#"{"v":1,"at":"2026-04-01T12:00:00Z","scope":"1.2.1"}"#;
    let leaf = entry(EntryKind::TemplateEnrolled, commitment::commit(&opening, payload)).to_bytes();
    let [leaf, opening, payload] =
        [leaf.as_slice(), opening.expose_opening(), payload].map(|bytes| STANDARD.encode(bytes));
    let receipt = format!(
        "{{\"v\":1,\"entry\":3,\"leaf\":\"{leaf}\",\"opening\":\"{opening}\",\"payload\":\"{payload}\"}}"
    );
    put(folder, "receipt_json", "receipt", receipt)?;

    let statement = |enrolment: &str| {
        format!(
            "vouchsafe destruction certificate v1\norigin {ORIGIN}\nclass biometric\nenrolment-entry {enrolment}\n\
             destruction-entry 9\nhour 2026-11-24T18:00:00Z\ncause withdrawal\nerasure-strength host-only\n"
        )
    };
    put(folder, "certificate", "statement", statement("3"))?;
    put(folder, "certificate", "none", statement("none"))?;
    put(folder, "certificate", "note", signer().sign(&statement("3"))?)?;

    // A unit vector of 512 equal numbers.
    let value = (1.0f32 / 512.0).sqrt().to_le_bytes();
    let head = [&[1, 1, 1][..], &512u16.to_le_bytes(), &[0x11; 32]].concat();
    put(folder, "template_reference", "flat", [head, value.repeat(512)].concat())
}

fn retention(folder: &Path) -> Step {
    let pack = r#"format = 1
id = "acme"
version = "1"
title = "Acme"

[[rule]]
id = "acme-inactivity"
class = "biometric"
modality = "face"
role = "end_user"
trigger = "last_interaction"
kind = "ceiling"
period = "1 year 6 months"
least = "30 days"
most = "3 years"
clause = "4.2"
says = "Faces go."
confidence = "confirmed"

[[rule]]
id = "acme-keep"
class = "billing"
trigger = "creation"
kind = "floor"
period = "not stated"
clause = "4.3"
says = "Bills stay."
confidence = "unconfirmed"

[[setting]]
rule = "acme-inactivity"
period = "2 years"
"#;
    put(folder, "policy_pack", "rules", pack)?;
    put(
        folder,
        "policy_pack",
        "setting",
        "format = 1\nid = \"acme\"\nversion = \"1\"\ntitle = \"Acme\"\n\n[[setting]]\nrule = \"fp-2a-support\"\nperiod = \"2 years\"\n",
    )?;

    let policy = Policy::default_notices()?;
    let now = "2030-01-01T00:00:00Z".parse()?;
    let facts = Facts::new(DataClass::Biometric, Some(Modality::Face), Role::EndUser)?
        .acted(PersonalAct::Verified, "2024-02-29T10:00:00Z".parse()?);
    put(folder, "retention_plan", "empty", Plan::make(&policy, [], now)?.to_bytes()?)?;
    let records = [(ItemId::parse("a-1")?, facts.clone()), (ItemId::parse("b-2")?, facts)];
    put(folder, "retention_plan", "two", Plan::make(&policy, records, now)?.to_bytes()?)
}

/// A manifest that names the files which the target makes.
fn models(folder: &Path) -> Step {
    let mut manifest = "manifest = 1\n".to_owned();
    for role in ModelRole::ALL {
        let sum: String =
            digest(&SHA256, role.name().as_bytes()).as_ref().iter().map(|b| format!("{b:02x}")).collect();
        manifest.push_str(&format!(
            "\n[[model]]\nrole = \"{role}\"\nfile = \"{role}.onnx\"\nsha256 = \"{sum}\"\ninput = {:?}\n",
            role.input_shape()
        ));
    }
    put(folder, "model_manifest", "manifest.toml", manifest)
}
