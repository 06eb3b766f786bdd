//! Writes the seeds of every target, small and valid: `cargo run --example seeds -- seeds`.

use std::error::Error;
use std::fs;
use std::io::Cursor;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use image::{DynamicImage, ImageFormat, RgbImage};
use ring::digest::{SHA256, digest};
use vouchsafe::consent::{AttestedBy, ExpressionKind, NoticeDraft, UnsubscribeToken};
use vouchsafe_embed::ModelRole;
use vouchsafe_envelope::cobblestone;
use vouchsafe_envelope::port::StateVersion;
use vouchsafe_envelope::record::seal;
use vouchsafe_envelope::tree::KeyTree;
use vouchsafe_fuzz::{
    Fixed, Harm, Large, ORIGIN, Plain, World, acme, chain, context, cosigner, leaf, record_key, signer, tree,
};
use vouchsafe_ledger::{
    Checkpoint, EntryKind, HandoverReason, HandoverStatement, Leaf, LogSigner, Opening, commitment, merkle,
};
use vouchsafe_retention::disclosure::{DeletionOrder, Disclosure, LegalBasis};
use vouchsafe_retention::rights::{
    ExtensionReason, IdentityProof, Inventory, Place, RequestId, RequestKind, RightsRequest, TaskStatus,
};
use vouchsafe_retention::{Facts, ItemId, PersonalAct, Plan, Policy, RecipientId};
use vouchsafe_store::{Backup, SqliteStore, StoreError, write};
use vouchsafe_types::{
    DataClass, Jurisdiction, LeafIndex, Modality, Purpose, Role, Scope, Secret, SubjectPseudonym, Timestamp,
};

type Step<T = ()> = Result<T, Box<dyn Error>>;

fn main() -> Step {
    let folder = PathBuf::from(std::env::args().nth(1).ok_or("where to?")?);
    pictures(&folder)?;
    keys(&folder)?;
    states(&folder)?;
    fences(&folder)?;
    services(&folder)?;
    objects(&folder)?;
    log(&folder)?;
    witnesses(&folder)?;
    people(&folder)?;
    consents(&folder)?;
    retention(&folder)?;
    rights(&folder)?;
    models(&folder)?;
    backups(&folder)
}

/// A backup of a small store: its manifest, and each table that has rows, behind its number.
fn backups(folder: &Path) -> Step {
    let home = tempfile::tempdir()?;
    let (store, id) = (SqliteStore::open(&home.path().join("rows"))?, acme());
    write::<_, StoreError>(&store, &id, |rows| {
        rows.insert_organisation(&id, Timestamp::UNIX_EPOCH)?;
        for entry in 0..3u8 {
            rows.append_entry(&id, &[entry; 5])?;
        }
        rows.insert_public_payload(&id, 1, b"{}")
    })?;
    let taken = home.path().join("backup");
    let backup = Backup::take(&store, &taken, Timestamp::UNIX_EPOCH, &mut |_| Ok(None))?;
    put(folder, "store_backup", "manifest", fs::read(taken.join("manifest.json"))?)?;
    for (number, (table, rows)) in (0..).zip(backup.manifest().tables()) {
        if rows > 0 {
            let rows = fs::read(taken.join(format!("{table}.rows")))?;
            put(folder, "store_backup", table, [&[number][..], &rows].concat())?;
        }
    }
    Ok(())
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
    tree.puncture(&[leaf(), LeafIndex::new(7)?])?;
    put(folder, "tree_decode", "punctured", tree.encode().expose_secret())?;
    let mut small = KeyTree::<8>::generate(&Fixed(1))?;
    small.puncture(&[LeafIndex::new(3)?, LeafIndex::new(200)?])?;
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

/// Key states: in the clear, sealed, in a file, and too large for their head.
fn states(folder: &Path) -> Step {
    let whole = tree(&[(0, 0)]);
    let plain = |counters: &[(u8, u64)], tree: &[u8]| Plain {
        version: StateVersion { generation: 1, revision: 3 },
        data_keys: vec![1],
        counters: counters.to_vec(),
        tree: tree.to_vec(),
        ..Plain::default()
    };
    let fresh = plain(&[], &whole);
    let mut punctured = KeyTree::<48>::decode(&whole)?;
    punctured.puncture(&[leaf(), LeafIndex::new(7)?])?;
    let punctured = plain(&[(1, 64)], punctured.encode().expose_secret());
    let honey = vec![leaf().get() + 5, leaf().get() + 9];
    let turned = Plain { data_keys: vec![1, 2, 7], honey, ..plain(&[(1, 64)], &whole) };
    let shard = ((33, 1 << 25), [1; 16], [2; 32], [3; 32]);
    let sharded = Plain { shards: vec![shard], ..fresh.clone() };
    for (name, state) in [
        ("fresh", &fresh),
        ("allocated", &plain(&[(1, 64), (2, 128), (7, 64)], &whole)),
        ("punctured", &punctured),
        ("turned", &turned),
        ("sharded", &sharded),
    ] {
        if state.shards.is_empty() {
            World::of(state.head()).ring.with_state(&acme(), |_| ())?;
        }
        put(folder, "state_decode", name, state.encode())?;
    }
    let (_, sealed) = turned.head().ok_or("a head")?;
    put(folder, "state_open", "provisioning", [1, 0, 0, 0, 0, 0, 0, 0, 0])?;
    put(folder, "state_open", "fresh", fresh.head().ok_or("a head")?.1)?;
    put(folder, "state_open", "turned", &sealed)?;
    put(folder, "state_open", "key", [&[0, 20][..], &[1]].concat())?;
    let version = [1u64, 3].map(u64::to_be_bytes).concat();
    put(folder, "state_file", "state", [b"vouchsafe state\x02", &version[..], b"example"].concat())?;
    put(folder, "state_file", "empty", [b"vouchsafe state\x02", &version[..]].concat())?;
    let head = [b"vouchsafe state\x02", &version[..]].concat();
    let summed = [&head, &digest(&SHA256, &head).as_ref()[..8], b"example"].concat();
    put(folder, "state_file", "sums", [&summed, digest(&SHA256, &summed).as_ref()].concat())?;
    put(folder, "state_lease_names", "older", "00aa11bb22cc33dd.3.8.44")?;
    put(folder, "state_lease_names", "same", "00aa11bb22cc33dd.3.9.5")?;
    put(folder, "state_lease_names", "alive", ".00aa11bb22cc33dd")?;
    put(folder, "state_shard_names", "name", "00112233445566778899aabbccddeeff")?;
    put(folder, "state_shard_names", "capitals", "00112233445566778899AABBCCDDEEFF")?;
    put(folder, "state_shard_names", "signs", "+0+1+2+3+4+5+6+7+8+9+a+b+c+d+e+f")?;
    put(folder, "state_shard_names", "unfinished", "00112233445566778899aabbccddeeff.tmp")?;
    large(folder)
}

/// States in shards: those that load, and those in which something is out of its place.
fn large(folder: &Path) -> Step {
    let root = |depth: u8, prefix: u64| [&[depth][..], &prefix.to_be_bytes()[2..]].concat();
    let edit = |what: u8, place: u16, node: Vec<u8>| [&[what][..], &place.to_be_bytes(), &node].concat();
    let halves = [root(33, 1 << 25), root(33, (1 << 25) + 1)].concat();
    let two = |edit: Vec<u8>| [&[2][..], &halves, &edit].concat();
    let at = |index: u64| root(48, leaf().get() + index);
    for (name, large) in [
        ("one", [&[1][..], &root(33, 1 << 25)].concat()),
        ("two", two(vec![])),
        ("three", [&[3][..], &halves, &root(7, 1)].concat()),
        ("loose", two(edit(0, 0, root(48, 9)))),
        ("fewer", two(edit(6, 77, root(0, 0)))),
    ] {
        let (world, _) = Large::read(&large).ok_or("a large state")?.world(Harm::None, 0);
        world.ring.with_state(&acme(), |_| ())?;
        put(folder, "shard_open", name, [&[0], &large[..]].concat())?;
    }
    for (name, harm, large) in [
        ("bit", 2, two(vec![])),
        ("digest", 3, two(vec![])),
        ("swap", 4, two(vec![])),
        ("moved", 0, two(edit(7, 77, root(2, 0)))),
        ("head-behind", 0, two(edit(0, 0, at(20_000)))),
        ("head-between", 0, two(edit(0, 0, at(101)))),
        ("head-twice", 0, two(edit(0, 0, at(100)))),
        ("shard-behind", 0, two(edit(8, 8320, at(65_541)))),
        ("shard-before", 0, two(edit(4, 0, root(48, 5)))),
    ] {
        put(folder, "shard_open", name, [&[harm], &large[..]].concat())?;
    }
    Ok(())
}

/// Fence journals: the bodies of records, and whole files.
fn fences(folder: &Path) -> Step {
    let versioned = |kind: u8, generation: u64, revision: u64| {
        [&[kind][..], &generation.to_be_bytes(), &revision.to_be_bytes()].concat()
    };
    let fenced = |leaves: &[u64]| {
        let six = |leaf: &u64| leaf.to_be_bytes()[2..].to_vec();
        [vec![1], leaves.iter().flat_map(six).collect()].concat()
    };
    let counted = [versioned(3, 1, 2), [&[1][..], &128u64.to_be_bytes()].concat()].concat();
    let first = leaf().get();
    let bodies = [
        versioned(4, 1, 1),
        counted,
        fenced(&[first, first + 5]),
        versioned(2, 2, 3),
        fenced(&[first + 1, 8 << 40]),
    ];
    let listed = |bodies: &[Vec<u8>]| -> Vec<u8> {
        bodies.iter().flat_map(|body| [&[body.len() as u8][..], body].concat()).collect()
    };
    for (name, count) in [("begun", 1), ("counted", 2), ("fenced", 3), ("done", 4), ("again", 5)] {
        put(folder, "fence_record", name, listed(&bodies[..count]))?;
    }
    put(folder, "fence_record", "none", [])?;
    let far = [versioned(3, 1, 2), [&[1][..], &((1u64 << 40) - 64).to_be_bytes()].concat()].concat();
    put(folder, "fence_record", "far-and-damaged", listed(&[far, vec![0]]))?;

    let bodies: Vec<&[u8]> = bodies.iter().map(Vec::as_slice).collect();
    let frames: Vec<u8> = chain("acme", &bodies).iter().flat_map(|record| frame(record)).collect();
    let journal = [b"vouchsafe fence\x01", &frames[..]].concat();
    put(folder, "fence_journal", "records", &journal)?;
    put(folder, "fence_journal", "torn", &journal[..journal.len() - 5])?;
    put(folder, "fence_journal", "empty", &journal[..16])?;
    put(folder, "fence_journal", "begun", &journal[..7])?;
    put(folder, "fence_journal", "short", [&journal[..16], &frame(b"")[..], &frame(b"a")[..]].concat())
}

fn frame(record: &[u8]) -> Vec<u8> {
    let sum = digest(&SHA256, record);
    [&(record.len() as u32).to_be_bytes(), &sum.as_ref()[..8], record].concat()
}

fn entry(kind: EntryKind, commitment: [u8; 32]) -> Leaf {
    Leaf { kind, hour: 498_764, organisation: [7; 16], commitment }
}

/// What lies in a bucket, and what a server says of it, each behind its number.
fn objects(folder: &Path) -> Step {
    let lease = [&b"vouchsafe lease\x01"[..], &3u64.to_be_bytes(), &1_700_000_000_000i64.to_be_bytes(), &[7; 16]];
    let head = [&b"vouchsafe state\x03"[..], &3u64.to_be_bytes(), &9u64.to_be_bytes()].concat();
    let sum = digest(&SHA256, &[&head[..], b"sealed"].concat());
    let state = [&head[..], sum.as_ref(), b"sealed"].concat();
    let frame = |record: &[u8]| {
        let sum = digest(&SHA256, record);
        [&(record.len() as u32).to_be_bytes()[..], &sum.as_ref()[..8], record].concat()
    };
    let fences: Vec<u8> = [&b"first"[..], b"", b"third"].into_iter().flat_map(frame).collect();
    let versions = b"<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>";
    let missing = b"<Error><Code>NoSuchKey</Code><Message>gone</Message></Error>";
    for (name, kind, body) in [
        ("lease", 0, lease.concat()),
        ("state", 1, state),
        ("fences", 2, fences),
        ("versioning", 3, [&200u16.to_be_bytes()[..], versions].concat()),
        ("missing", 3, [&404u16.to_be_bytes()[..], missing].concat()),
    ] {
        put(folder, "object_forms", name, [&[kind][..], &body].concat())?;
    }
    Ok(())
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

    let paths = [
        "checkpoint",
        "tile/0/999.p/255",
        "tile/7/x001/000",
        "tile/entries/x001/x234/067",
        "handover/x001/000",
    ];
    for (number, path) in paths.iter().enumerate() {
        put(folder, "ledger_tilepath", &number.to_string(), path)?;
    }
    Ok(())
}

/// Cosignatures, policies, requests to witnesses and handovers of the log's key.
fn witnesses(folder: &Path) -> Step {
    let checkpoint = Checkpoint::new(ORIGIN, 0, merkle::tree_hash(&[]))?.to_string();
    let note = signer().sign(&checkpoint)?;
    let (witness, line) = (cosigner(), cosigner().cosign(&checkpoint, 1_700_000_000)?);
    let other = "\u{2014} w.example/2 AAAAAAE=\n";
    put(folder, "ledger_cosignature", "line", &line)?;
    put(folder, "ledger_cosignature", "lines", format!("{other}{line}{line}"))?;
    put(folder, "ledger_cosignature", "key", witness.key().to_string())?;

    let known = format!("log {} https://log.example/\nwitness w {}\n", signer().verifier(), witness.key());
    put(folder, "ledger_policy", "none", "# nobody\nquorum none\n")?;
    put(folder, "ledger_policy", "witness", format!("{known}quorum w\n"))?;
    put(folder, "ledger_policy", "groups", format!("{known}group a 1 w\ngroup b all a\nquorum b\n"))?;

    let hashes = [1, 2].map(|fill| STANDARD.encode([fill; 32])).join("\n");
    put(folder, "ledger_witness_body", "first", format!("old 0\n\n{note}"))?;
    put(folder, "ledger_witness_body", "later", format!("old 20852014\n{hashes}\n\n{note}"))?;
    put(folder, "ledger_witness_body", "size", "20852014\n")?;

    let next = LogSigner::from_seed(ORIGIN, &Secret::init_with(|seed| seed.fill(43)))?;
    let keys = [signer().verifier().clone(), next.verifier().clone()];
    for reason in HandoverReason::ALL {
        let [old, new] = keys.clone();
        let statement = HandoverStatement::new(ORIGIN, old, new, reason)?;
        let leaf = entry(EntryKind::LogKeyRotated, statement.commitment()).to_bytes();
        let head = Checkpoint::new(ORIGIN, 1, merkle::leaf_hash(&leaf))?.to_string();
        let (by_old, by_new) = (signer().sign(&head)?, next.sign(&head)?);
        let by_new = by_new.strip_prefix(&format!("{head}\n")).ok_or("a signature")?;
        let [leaf, said] = [&leaf[..], statement.to_string().as_bytes()].map(|bytes| STANDARD.encode(bytes));
        let receipt = format!("c2sp.org/tlog-proof@v1\nextra {said}\nindex 0\n\n{by_old}{by_new}");
        let handover = format!("vouchsafe.dev/log-handover@v1\n{leaf}\n\n{receipt}");
        put(folder, "ledger_handover", reason.name(), handover)?;
        put(folder, "ledger_handover", &format!("statement.{}", reason.name()), statement.to_string())?;
    }
    Ok(())
}

fn consents(folder: &Path) -> Step {
    let shown = "We store a template of your face to recognise you, until you withdraw. Ticking signs this.";
    let draft = |version| NoticeDraft::new("face", version, "en", shown.as_bytes());
    let biometric = draft("1").covers(Scope::FACE_VERIFICATION).collected(shown).purpose(shown);
    let biometric =
        biometric.term(shown, "P3Y").release(shown, [ExpressionKind::Checkbox]).schedule(b"3 years");
    let mail = Scope::new(None, Role::EndUser, Purpose::Communication)?;
    let notices = [
        ("biometric", biometric.material(AttestedBy::PrivacyOfficer)),
        ("messages", draft("2").covers(mail).editorial(AttestedBy::LegalCounsel)),
    ];
    for (name, notice) in notices {
        put(folder, "consent_notice", name, notice.finish()?.to_json())?;
    }
    let subject = SubjectPseudonym::from_bytes([7; 32]);
    let token = UnsubscribeToken::issue(subject, Role::EndUser, Timestamp::UNIX_EPOCH);
    put(folder, "consent_token", "token", token.to_bytes())?;
    put(folder, "consent_token", "click", "List-Unsubscribe=One-Click")?;
    put(folder, "consent_token", "base", "https://mail.example/unsubscribe")?;
    let receipt = include_bytes!("../../crates/vouchsafe-consent/schema/consent-receipt-v1.example.json");
    put(folder, "consent_token", "receipt", receipt)
}

fn people(folder: &Path) -> Step {
    let opening = Opening::from_secret(Secret::init_with(|bytes| bytes.fill(6)));
    let payload = br#"{"v":1,"entry":3,"at":"2026-04-01T12:00:00Z","actor":"person","scope":"face.end_user.verification"}"#;
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
kind = "organisation"

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
        "format = 1\nid = \"acme\"\nversion = \"1\"\ntitle = \"Acme\"\nkind = \"organisation\"\n\n[[setting]]\nrule = \"fp-2a-support\"\nperiod = \"2 years\"\n",
    )?;

    let policy = Policy::default_notices()?;
    let now = "2030-01-01T00:00:00Z".parse()?;
    let facts = Facts::new(DataClass::Biometric, Some(Modality::Face), Role::EndUser)?
        .acted(PersonalAct::Verified, "2024-02-29T10:00:00Z".parse()?);
    put(folder, "retention_plan", "empty", Plan::make(&policy, [], now)?.to_bytes()?)?;
    let records = [(ItemId::parse("a-1")?, facts.clone()), (ItemId::parse("b-2")?, facts)];
    let plan = Plan::make(&policy, records, now)?;
    put(folder, "retention_plan", "two", plan.to_bytes()?)?;
    put(folder, "retention_plan", "for_log", plan.for_log(ORIGIN)?.to_bytes()?)
}

/// A request that was extended and answered, one that was refused, disclosures and an order.
fn rights(folder: &Path) -> Step {
    let pack = r#"format = 1
id = "acme"
version = "1"
title = "Acme"
kind = "organisation"

[organisation]
name = "Acme"
address = "1 Street"
email = "privacy@acme.example"
minimum_age = "18"
regions = "eu"
store_region = "eu"

[[recipient]]
id = "host"
name = "Host"
kind = "processor"
region = "us"
purpose = "hosting"
classes = "account, billing"
document = "dpa-1"
confidential = "yes"
delete_within = "30 days"
safeguard = "scc: 2021/914"
"#;
    put(folder, "policy_pack", "organisation", pack)?;
    let policy = Policy::from_packs(&[Policy::shipped_packs(), vec![pack]].concat())?;
    let at = |day: u32| format!("2026-04-{day:02}T12:00:00Z").parse::<Timestamp>();
    let open = |byte, kind| {
        RightsRequest::open(&policy, RequestId::from_bytes([byte; 16]), kind, [Jurisdiction::UsCa], at(1)?)
            .map_err(Box::<dyn Error>::from)
    };
    let inventory = Inventory::new(DataClass::ALL.map(|class| (class, Place::Store)))?;
    let mut answered = open(1, RequestKind::Know)?;
    answered.confirm(at(2)?)?;
    answered.verify(IdentityProof::SignedIn, at(3)?)?;
    answered.start(&inventory, at(4)?)?;
    answered.extend(ExtensionReason::Complexity, at(5)?)?;
    for class in DataClass::ALL {
        answered.answer_task(class, &Place::Store, TaskStatus::NotHeld, at(6)?)?;
    }
    answered.answer(&inventory, at(7)?)?;
    put(folder, "rights_request", "answered", answered.to_bytes()?)?;
    let mut refused = open(2, RequestKind::Delete)?;
    refused.ask_identity(at(2)?)?;
    refused.abandon(at(9)?)?;
    put(folder, "rights_request", "abandoned", refused.to_bytes()?)?;

    let host = RecipientId::parse("host").ok_or("recipient")?;
    let disclosed = Disclosure::propose(&policy, &host, LegalBasis::Processor, [DataClass::Account], at(1)?)?;
    put(folder, "disclosure", "processor", disclosed.to_bytes()?)?;
    let consent = LegalBasis::ExplicitConsent { scope: Scope::FACE_VERIFICATION, sequence: 1 };
    let consented = Disclosure::propose(&policy, &host, consent, [DataClass::Billing], at(1)?)?;
    put(folder, "disclosure", "consent", consented.to_bytes()?)?;
    let recipient = policy.recipient(&host).ok_or("recipient")?;
    let mut order = DeletionOrder::issue(&policy, recipient, at(1)?)?;
    put(folder, "deletion_order", "open", order.to_bytes()?)?;
    order.acknowledge(at(3)?)?;
    put(folder, "deletion_order", "acknowledged", order.to_bytes()?)
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

/// Answers of a transit engine, each behind its status.
fn services(folder: &Path) -> Step {
    let key = r#"{"data":{"allow_plaintext_backup":false,"auto_rotate_period":0,"deletion_allowed":false,
"derived":false,"exportable":false,"imported_key":false,"keys":{"2":1795557725,"3":1795557726},"latest_version":3,
"min_available_version":2,"min_decryption_version":2,"min_encryption_version":2,"name":"vouchsafe-acme",
"soft_deleted":false,"type":"aes256-gcm96"},"warnings":null}"#;
    let wrapped = format!("vault:v7:{}", STANDARD.encode([5; 60]));
    let encrypted = format!(r#"{{"data":{{"ciphertext":"{wrapped}","key_version":7}}}}"#);
    let decrypted = format!(r#"{{"data":{{"plaintext":"{}"}}}}"#, STANDARD.encode([5; 32]));
    let login = r#"{"auth":{"client_token":"s.example","lease_duration":3600,"renewable":true}}"#;
    for (name, status, body) in [
        ("key", 200, key),
        ("wrapped", 200, &wrapped),
        ("encrypted", 200, &encrypted),
        ("decrypted", 200, &decrypted),
        ("login", 200, login),
        ("lookup", 200, r#"{"data":{"ttl":3600,"renewable":true}}"#),
        ("server", 200, r#"{"data":{"disable_cache":true}}"#),
        ("missing", 404, r#"{"errors":[]}"#),
        ("refused", 400, r#"{"errors":["cipher: message authentication failed"]}"#),
        ("sealed", 503, r#"{"errors":["Vault is sealed"]}"#),
    ] {
        put(folder, "openbao_answer", name, [&u16::to_be_bytes(status), body.as_bytes()].concat())?;
    }
    Ok(())
}
