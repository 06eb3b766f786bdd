//! Protection of an embedding and comparison in the protected domain.
#![expect(clippy::unwrap_used, reason = "a bench that cannot run says so")]

use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use vouchsafe::Timestamp;
use vouchsafe::template::{ProtectedReference, TemplateKey, Threshold, compare, protect};
use vouchsafe::types::Secret;
use vouchsafe_benches::{consented, embedding, folder, service};

fn template(criterion: &mut Criterion) {
    let folder = folder(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let service = service(&folder).unwrap();
    let organisation = service.organisation("acme").unwrap();
    let (_, permit) = consented(&organisation, "person").unwrap();
    let key = TemplateKey::new(Secret::init_with(|key| key.fill(7)));
    let face = || embedding(&permit, 1).unwrap();
    let probe = || protect(&key, face());
    let reference = probe().into_reference();
    let threshold = Threshold::reported_default(Threshold::SHIPPED_FACE_MODEL).unwrap();
    let bytes = reference.to_bytes();

    let mut group = criterion.benchmark_group("template");
    group.bench_function("protect", |bencher| {
        bencher.iter_batched(face, |face| protect(&key, face), BatchSize::SmallInput);
    });
    group.bench_function("read a reference", |bencher| {
        bencher.iter(|| ProtectedReference::parse(bytes.expose_secret()).unwrap());
    });
    group.bench_function("compare", |bencher| {
        let decide = |probe| compare(&reference, probe, &threshold, Timestamp::UNIX_EPOCH).unwrap();
        bencher.iter_batched(probe, decide, BatchSize::SmallInput);
    });
    group.finish();
}

criterion_group!(benches, template);
criterion_main!(benches);
