//! The process that the memory drill scans: one person's enrolment and verification through the facade.
//!
//! `memory-subject FOLDER PICTURES MODE`. It prints a line when it stands still and goes on when a line comes in:
//!
//! 1. `held`: everything of the verification is dropped, the service is open and holds its key state;
//! 2. `verified`: the key state is wiped as well;
//! 3. `published`: the log was published, and the key state wiped again;
//! 4. `planted`: it keeps a copy of every block it was sent (length in 8 bytes, little-endian, then the bytes; a
//!    length of 0 ends them);
//! 5. the end.
//!
//! Modes: `wiping` has the wiping allocator; `system` the system's; `forgetting` has the wiping allocator, but
//! never drops what it made, as a program without wiping types would not.
#![deny(unsafe_code)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::error::Error;
use std::io::{Read, Write};
use std::mem::forget;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::{env, fs, io};

use vouchsafe::envelope::test_util;
use vouchsafe::store::{SqliteStore, read};
use vouchsafe::{FaceEngine, Image, Limits, LiveFace, ModelSet, Permit, Ports, Scope, Vouchsafe};
use vouchsafe_alloc::WipingAllocator;
use vouchsafe_testkit::scene;
use vouchsafe_types::OrganisationId;

type Step<T = ()> = Result<T, Box<dyn Error>>;

#[global_allocator]
static ALLOCATOR: Switchable = Switchable;

/// The wiping allocator, or the system's own when the program starts in mode `system`.
struct Switchable;

static WIPING: AtomicBool = AtomicBool::new(true);
static WIPER: WipingAllocator = WipingAllocator::system();

#[expect(unsafe_code, reason = "an allocator is an unsafe contract")]
// SAFETY: both allocators hand on the blocks of `System`, so each may free what the other gave.
unsafe impl GlobalAlloc for Switchable {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's contract is handed on unchanged.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's contract is handed on unchanged.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: the caller's contract is handed on unchanged.
        unsafe {
            if WIPING.load(Ordering::Relaxed) {
                WIPER.dealloc(block, layout)
            } else {
                System.dealloc(block, layout)
            }
        }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        // SAFETY: the caller's contract is handed on unchanged.
        unsafe {
            if WIPING.load(Ordering::Relaxed) {
                WIPER.realloc(block, layout, new_size)
            } else {
                System.realloc(block, layout, new_size)
            }
        }
    }
}

const FACE: Scope = Scope::FACE_VERIFICATION;
const ORGANISATION: &str = "acme";
const PERSON: &str = "4711";

fn main() -> Step {
    let arguments: Vec<PathBuf> = env::args_os().skip(1).map(PathBuf::from).collect();
    let [folder, pictures, mode] = arguments.as_slice() else {
        return Err("usage: memory-subject FOLDER PICTURES MODE".into());
    };
    WIPING.store(mode.as_os_str() != "system", Ordering::Relaxed);
    let engine = Arc::new(FaceEngine::load(&ModelSet::bundled()?)?);
    let service = Vouchsafe::open_with(Ports::in_folder(folder)?.with_engine(Arc::clone(&engine)));
    enrol_and_verify(&service, pictures)?;
    if mode.as_os_str() == "forgetting" {
        forget_all(&service, &engine, folder, pictures)?;
    }
    // For five minutes at most an open service keeps its key state; here it is wiped at once.
    stand_still("held")?;
    service.wipe_keys();
    stand_still("verified")?;
    service.organisation(ORGANISATION)?.publish_log()?;
    service.wipe_keys();
    stand_still("published")?;
    let planted = plant()?;
    stand_still("planted")?;
    drop(planted);
    Ok(())
}

#[inline(never)]
fn enrol_and_verify(service: &Vouchsafe, pictures: &Path) -> Step {
    let organisation = service.organisation(ORGANISATION)?;
    let notice = scene::notice(&organisation)?;
    let person = organisation.subject(PERSON)?;
    scene::give(&person, FACE, &notice)?;

    let permit = person.permit(FACE)?.or_refuse()?;
    let face = service.capture(&permit, picture(pictures, "obama.jpg")?)?.or_refuse()?;
    person.enrol(&permit, face)?.or_refuse()?;

    let permit = person.permit(FACE)?.or_refuse()?;
    let face = service.capture(&permit, picture(pictures, "obama2.jpg")?)?.or_refuse()?;
    if person.verify(&permit, face)?.is_accepted() { Ok(()) } else { Err("not accepted".into()) }
}

/// Makes everything that must be wiped once more, and never drops it.
#[inline(never)]
fn forget_all(service: &Vouchsafe, engine: &FaceEngine, folder: &Path, pictures: &Path) -> Step {
    let organisation = service.organisation(ORGANISATION)?;
    let person = organisation.subject(PERSON)?;
    forget(fs::read(pictures.join("obama2.jpg"))?);
    forget(picture(pictures, "obama2.jpg")?);
    let permit = person.permit(FACE)?.or_refuse()?;
    forget(captured(service, &permit, pictures)?);
    let face = captured(service, &permit, pictures)?;
    forget(engine.embed(&permit, face, jiff::Timestamp::now())?);

    let id = OrganisationId::parse(ORGANISATION)?;
    let ports = Ports::in_folder(folder)?;
    let state = test_util::ungated_state(&*ports.keys, &*ports.states, &id)?;
    let store = SqliteStore::open(&folder.join("data/vouchsafe.sqlite"))?;
    let holding = read(&store, &id, |rows| rows.biometric_holding(&id, person.pseudonym(), FACE))?;
    let leaf = holding.ok_or("no template")?.leaf;
    forget(state.template_secret(leaf)?);
    Ok(())
}

fn captured(
    service: &Vouchsafe,
    permit: &Permit<vouchsafe::Consented>,
    pictures: &Path,
) -> Step<LiveFace<vouchsafe::Consented>> {
    Ok(service.capture(permit, picture(pictures, "obama2.jpg")?)?.or_refuse()?)
}

fn picture(pictures: &Path, name: &str) -> Step<Image> {
    Ok(Image::decode(&fs::read(pictures.join(name))?, &Limits::default())?)
}

/// Says where the program stands, and waits for a line.
fn stand_still(at: &str) -> Step {
    let mut out = io::stdout().lock();
    writeln!(out, "{at}")?;
    out.flush()?;
    let mut byte = [0];
    io::stdin().lock().read_exact(&mut byte)?;
    Ok(())
}

fn plant() -> Step<Vec<Box<[u8]>>> {
    let mut input = io::stdin().lock();
    let mut kept = Vec::new();
    loop {
        let mut length = [0; 8];
        input.read_exact(&mut length)?;
        let length = usize::try_from(u64::from_le_bytes(length))?;
        if length == 0 {
            return Ok(kept);
        }
        let mut block = vec![0; length].into_boxed_slice();
        input.read_exact(&mut block)?;
        kept.push(block);
    }
}
