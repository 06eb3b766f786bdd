use std::{
    env, fs, hint,
    io::{Read as _, Write as _},
    process::{Child, Command, Stdio},
};

use super::{search::Counts, *};

const ROLE: &str = "VOUCHSAFE_SCAN_CHILD";

/// Bytes that nobody else has: made from a seed, so that no file and no argument holds them.
fn secret(seed: u64, length: usize) -> Vec<u8> {
    let mut state = seed ^ 0xD1B5_4A32_D192_ED03;
    let step = |state: &mut u64| {
        *state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (*state ^ (*state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        ((mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB) >> 56) as u8
    };
    (0..length).map(|_| step(&mut state)).collect()
}

/// Runs this test binary again as a child that plays `role` and then waits.
fn child(role: &str) -> Child {
    let mut child = Command::new(env::current_exe().unwrap())
        .args(["--exact", "scan::tests::plays_the_scanned_process", "--nocapture", "--test-threads=1"])
        .env(ROLE, role)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut said = Vec::new();
    let output = child.stdout.as_mut().unwrap();
    while !said.ends_with(b"ready") {
        let mut byte = [0];
        assert_eq!(output.read(&mut byte).unwrap(), 1, "the child ended early");
        said.push(byte[0]);
    }
    child
}

fn dismiss(mut child: Child) {
    drop(child.stdin.take());
    assert!(child.wait().unwrap().success());
}

/// Not a test of its own: the child half of the two tests below.
#[test]
fn plays_the_scanned_process() {
    let Ok(role) = env::var(ROLE) else { return };
    let planted = (role == "plant").then(|| (secret(1, 2048), secret(2, 32)));
    print!("ready");
    std::io::stdout().flush().unwrap();
    let _ = std::io::stdin().read(&mut [0]);
    hint::black_box(planted);
}

fn needles() -> Needles {
    let embedding: Vec<f32> =
        secret(1, 2048).as_chunks::<4>().0.iter().map(|&bytes| f32::from_le_bytes(bytes)).collect();
    let mut needles = Needles::new();
    needles.tensor("embedding", &embedding).unwrap();
    needles.key("key", &secret(2, 32).try_into().unwrap()).unwrap();
    needles
}

#[test]
fn finds_what_a_process_holds() {
    let child = child("plant");
    let memory = ProcessMemory::of(child.id()).unwrap();
    let findings = memory.scan(&needles()).unwrap();
    dismiss(child);
    assert!(memory.regions().iter().any(|region| region.kind == "stack"));
    assert!(findings.of("embedding") >= 64, "{findings}");
    assert!(findings.of("key") >= 2, "{findings}");
}

#[test]
fn finds_nothing_where_nothing_is() {
    let child = child("empty");
    let findings = ProcessMemory::of(child.id()).unwrap().scan(&needles()).unwrap();
    dismiss(child);
    assert_eq!(findings.total(), 0, "{findings}");
    assert!(findings.bytes() > 1 << 20);
}

#[test]
fn finds_what_files_hold_across_blocks() {
    let folder = tempfile::tempdir().unwrap();
    let needles = needles();
    let clean = vec![0x11; (4 << 20) - 10];
    fs::create_dir(folder.path().join("deep")).unwrap();
    fs::write(folder.path().join("store.db"), &clean).unwrap();
    assert_eq!(scan_files(folder.path(), &needles).unwrap().total(), 0);

    let mut dirty = clean;
    dirty.extend(secret(2, 32)); // the first window straddles the end of the first block
    dirty.extend([0; 100]);
    fs::write(folder.path().join("deep/store.db-wal"), dirty).unwrap();
    let findings = scan_files(folder.path(), &needles).unwrap();
    let hit = Hit { needle: "key".into(), place: "deep/store.db-wal".into(), count: 2 };
    assert_eq!(findings.hits(), [hit]);
}

/// 127 times the sample below, worked out in whole numbers.
fn int8_of_sample(i: i16) -> u8 {
    let scaled = i32::from((i * 37) % 511 - 255) * 127;
    let rounded = (scaled.abs() + 1500) / 3000 * scaled.signum();
    i8::try_from(rounded).unwrap().to_le_bytes()[0]
}

#[test]
fn finds_every_form_of_an_embedding() {
    let embedding: Vec<f32> = (0..512_i16).map(|i| f32::from((i * 37) % 511 - 255) / 3000.0).collect();
    let mut needles = Needles::new();
    needles.embedding("e", &embedding).unwrap();
    assert_eq!(needles.names().collect::<Vec<_>>(), ["e/f32", "e/f16", "e/int8"]);
    assert_eq!(needles.windows(), 64 + 32 + 16);
    for (name, bytes) in [
        ("e/f32", embedding.iter().flat_map(|v| v.to_le_bytes()).collect::<Vec<_>>()),
        ("e/f16", embedding.iter().flat_map(|&v| half_from_f32(v).to_le_bytes()).collect()),
        ("e/int8", (0..512_i16).map(int8_of_sample).collect()),
    ] {
        let mut counts = Counts::new();
        needles.index().search(&bytes, 0, &mut counts);
        let found: Vec<&str> = counts.keys().map(|&needle| needles.name(needle)).collect();
        assert_eq!(found, [name]);
    }
}

#[test]
fn finds_rows_of_a_picture_and_skips_plain_walls() {
    let (width, height) = (64, 48);
    let mut rgb = secret(9, width * height * 3);
    rgb[..width * 3 * 24].fill(200);
    let mut needles = Needles::new();
    needles.picture("frame", &rgb, width).unwrap();
    needles.pixels("frame", &rgb, width, Normalisation::CENTRED).unwrap();
    let mut plain = Counts::new();
    needles.index().search(&vec![200; 100_000], 0, &mut plain);
    assert_eq!(plain, Counts::new());

    // Three rows, copied into a wider buffer.
    let rows: Vec<u8> =
        rgb.chunks(width * 3).skip(30).take(3).flat_map(|row| [row, &[0; 50]].concat()).collect();
    let mut counts = Counts::new();
    needles.index().search(&rows, 0, &mut counts);
    assert_eq!(counts.into_iter().collect::<Vec<_>>(), [(0, 9)]);

    let tensor: Vec<u8> =
        rgb.iter().skip(2).step_by(3).flat_map(|&s| ((f32::from(s) - 127.0) / 128.0).to_le_bytes()).collect();
    let mut counts = Counts::new();
    needles.index().search(&tensor, 0, &mut counts);
    assert!(counts.get(&2).is_some_and(|&count| count > 10), "{counts:?}");

    assert!(Needles::new().picture("wall", &[7; 64 * 48 * 3], width).is_err());
    assert!(Needles::new().exact("short", b"1234567").is_err());
    assert!(Needles::new().key("zero", &[0; 32]).is_err());
}

#[test]
fn halves_are_those_of_ieee_754() {
    for (value, bits) in [
        (0.0, 0x0000),
        (-0.0, 0x8000),
        (1.0, 0x3C00),
        (-2.0, 0xC000),
        (65504.0, 0x7BFF),
        (65519.9, 0x7BFF),
        (65520.0, 0x7C00),
        (1e9, 0x7C00),
        (f32::NEG_INFINITY, 0xFC00),
        (0.333_251_95, 0x3555),
        (0.1, 0x2E66),
        (1.0 + 1.0 / 2048.0, 0x3C00), // a tie goes to even, down
        (1.0 + 3.0 / 2048.0, 0x3C02), // a tie goes to even, up
        (6.103_515_6e-5, 0x0400),     // the least normal
        (6.097_555e-5, 0x03FF),       // the greatest subnormal
        (5.960_464_5e-8, 0x0001),     // the least subnormal
        (2.980_232_2e-8, 0x0000),     // half of it, a tie to even
        (2.980_232_6e-8, 0x0001),
        (1e-12, 0x0000),
    ] {
        assert_eq!(half_from_f32(value), bits, "{value}");
    }
    assert_eq!(half_from_f32(f32::NAN) & 0x7E00, 0x7E00);
}
