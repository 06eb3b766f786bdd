//! Every key of a live folder, derived a second time from the specifications of the envelope.

use std::path::Path;
use std::sync::Arc;

use ring::{digest, hmac};
use vouchsafe::envelope::port::{KeyHandle, KeyService, StateStore};
use vouchsafe::envelope::{Context, cobblestone, record, test_util};
use vouchsafe::keys::{FolderStates, KeyFile};
use vouchsafe::store::{SqliteStore, read};
use vouchsafe::template::{ProtectedReference, TemplateKey};
use vouchsafe_types::{DataClass, OrganisationId, Scope, Secret};

use crate::faces::components;
use crate::secrets::Secrets;

const SCOPE: Scope = Scope::FACE_VERIFICATION;

/// The name of the one secret that lies in a file by design.
pub(crate) const STATE_KEY: &str = "state key";
const LOG_SEED: &str = "log seed";
/// The names of the secrets that an open service holds for five minutes at most.
pub(crate) const HELD: [&str; 5] = ["lasting key", "fence key", "data key", LOG_SEED, "tree root"];

/// Adds the keys and gives the template key.
pub(crate) fn add(secrets: &mut Secrets, folder: &Path, organisation: &str, person: &str) -> TemplateKey {
    let id = OrganisationId::parse(organisation).unwrap();
    let (file, states) = (folder.join("keys/service.keys"), folder.join("keys/state"));
    let service = Arc::new(KeyFile::open(&file).unwrap());
    let states = Arc::new(FolderStates::open(states).unwrap());

    // The key file ends in the only key and a SHA-256.
    let bytes = std::fs::read(&file).unwrap();
    let state_key = array(&bytes[bytes.len() - 64..bytes.len() - 32]);
    secrets.key(STATE_KEY, &state_key);

    let blob = states.read(&id).unwrap().unwrap();
    let generation = u64::from_be_bytes(blob[1..9].try_into().unwrap());
    let wrapped_len = usize::from(u16::from_be_bytes(blob[9..11].try_into().unwrap()));
    let (wrapped, message) = blob[11..].split_at(wrapped_len);
    let context = parts(&[b"vouchsafe state context v1", id.as_str().as_bytes(), &generation.to_be_bytes()]);
    let handle = KeyHandle::new(id.clone(), generation);
    let data_key = service.unwrap(&handle, wrapped, &context).unwrap();
    secrets.key("state data key", data_key.expose_secret());
    let wrap_context = [
        b"vouchsafe key wrap v1\0".as_slice(),
        &[u8::try_from(id.as_str().len()).unwrap()],
        id.as_str().as_bytes(),
        &generation.to_be_bytes(),
        &context,
    ]
    .concat();
    let opened = cobblestone::open(&secret(&state_key), &wrap_context, wrapped).unwrap();
    assert_eq!(opened.expose_secret(), data_key.expose_secret(), "the state key is the key file's");

    let state = cobblestone::open(&data_key, &context, message).unwrap();
    let state = state.expose_secret();
    let (lasting, log_seed, fence) = (array(&state[25..57]), array(&state[57..89]), array(&state[89..121]));
    assert_eq!(state[121..127], [0, 1, 0, 0, 0, 1], "no next log seed, one data key, version 1");
    let dek = array(&state[127..159]);
    let tree = &state[160 + 9 * usize::from(state[159])..];
    assert_eq!(tree[..4], [0; 4], "no honey and no shards");
    let tree = &tree[4..];
    assert_eq!(tree[..6], [1, 48, 0, 0, 0, 1], "nothing was destroyed, so the cover is the root");
    let root = array(&tree[6 + 7..]);
    secrets.key("lasting key", &lasting);
    secrets.key("fence key", &fence);
    secrets.key("data key", &dek);
    secrets.key(LOG_SEED, &log_seed);
    secrets.key("tree root", &root);
    let expanded = digest::digest(&digest::SHA512, &log_seed);
    let (scalar, prefix) = expanded.as_ref().split_at(32);
    let mut scalar = array(scalar);
    scalar[0] &= 0xf8;
    scalar[31] = scalar[31] & 0x7f | 0x40;
    secrets.key("log scalar", &scalar);
    secrets.key("log prefix", &array(prefix));

    let opened = test_util::ungated_state(&*service, &*states, &id).unwrap();
    let person = opened.pseudonym(person.as_bytes());
    let store = SqliteStore::open(&folder.join("data/vouchsafe.sqlite")).unwrap();
    let row = read(&store, &id, |rows| {
        let holding = rows.biometric_holding(&id, person, SCOPE)?.unwrap();
        rows.record(&id, holding.leaf)
    });
    let row = row.unwrap().unwrap();

    let mut leaf = root;
    for level in (0..48).rev() {
        let bit = u8::from(row.leaf.get() >> level & 1 == 1);
        leaf = mac(&leaf, &[b"vouchsafe tree node v1", &[bit]]);
        secrets.key(if level == 0 { "leaf key" } else { "tree path" }, &leaf);
    }
    let record_key = hkdf(&dek, &leaf, b"vouchsafe record v1");
    let template_key = hkdf(&lasting, &leaf, b"vouchsafe template v1");
    secrets.key("record key", &record_key);
    secrets.key("template key", &template_key);
    secrets.key("pseudonym key", &hkdf(b"", &lasting, b"vouchsafe subject pseudonym v1"));
    let known = opened.template_secret(row.leaf).unwrap();
    assert_eq!(known.as_secret().expose_secret(), &template_key, "the template key is the envelope's");

    let context = Context {
        organisation: id,
        leaf: row.leaf,
        class: DataClass::Biometric,
        scope: Some(SCOPE),
        record: row.id,
        model: Some(row.model),
        dimension: Some(row.dimension),
        key_version: 1,
    };
    let sealed = row.sealed.strip_prefix(&[record::VERSION]).unwrap();
    let template = cobblestone::open(&secret(&record_key), &context.to_bytes(), sealed).unwrap();
    let _ = ProtectedReference::parse(template.expose_secret()).unwrap();
    secrets.vector("template", &components(template.expose_secret()));

    let salt = &sealed[..cobblestone::SALT_LEN];
    let label = b"c2sp.org/chunked-encryption@v1+AEAD_AES_256_GCM\0";
    let key = hmac::Key::new(hmac::HMAC_SHA512, &record_key);
    let message_keys = hmac_parts(&key, &[label, salt, &context.to_bytes(), &[1]]);
    secrets.key("message key", &array(&message_keys[..32]));
    TemplateKey::new(secret(&template_key))
}

/// HKDF-SHA-256 (RFC 5869) to 32 bytes.
fn hkdf(salt: &[u8], ikm: &[u8], label: &[u8]) -> [u8; 32] {
    mac(&mac(salt, &[ikm]), &[label, &[1]])
}

fn mac(key: &[u8], parts: &[&[u8]]) -> [u8; 32] {
    array(&hmac_parts(&hmac::Key::new(hmac::HMAC_SHA256, key), parts))
}

fn hmac_parts(key: &hmac::Key, parts: &[&[u8]]) -> Vec<u8> {
    hmac::sign(key, &parts.concat()).as_ref().to_vec()
}

/// Every part behind its length in two bytes.
fn parts(parts: &[&[u8]]) -> Vec<u8> {
    let len = |part: &[u8]| u16::try_from(part.len()).unwrap().to_be_bytes();
    parts.iter().flat_map(|part| [&len(part), *part].concat()).collect()
}

fn array(bytes: &[u8]) -> [u8; 32] {
    bytes.try_into().unwrap()
}

fn secret(bytes: &[u8; 32]) -> Secret<32> {
    Secret::init_with(|own| *own = *bytes)
}
