//! What the wipe costs: a block is allocated, written in full and freed, with and without the wrapper.
#![expect(unsafe_code, reason = "calls allocators directly")]

use std::{
    alloc::{GlobalAlloc, Layout, System},
    hint::black_box,
};

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use vouchsafe_alloc::WipingAllocator;

const SIZES: [usize; 3] = [64, 4 << 10, 1 << 20];

/// One life of a block: allocated, written, freed.
fn live(allocator: &impl GlobalAlloc, layout: Layout) {
    // SAFETY: no layout here has size zero; the block is written within its size and freed once.
    unsafe {
        let block = allocator.alloc(layout);
        if !block.is_null() {
            block.write_bytes(0xA5, layout.size());
            allocator.dealloc(black_box(block), layout);
        }
    }
}

fn cost(criterion: &mut Criterion) {
    let wiping = WipingAllocator::system();
    let mut group = criterion.benchmark_group("alloc-write-free");
    for size in SIZES {
        let Ok(layout) = Layout::from_size_align(size, 16) else { continue };
        group.throughput(Throughput::Bytes(size as u64));
        group.bench_with_input(BenchmarkId::new("system", size), &layout, |bencher, &layout| {
            bencher.iter(|| live(&System, layout));
        });
        group.bench_with_input(BenchmarkId::new("wiping", size), &layout, |bencher, &layout| {
            bencher.iter(|| live(&wiping, layout));
        });
    }
    group.finish();
}

criterion_group!(benches, cost);
criterion_main!(benches);
