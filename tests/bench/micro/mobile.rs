//! Mobile numbers: parsing (from the register and from each sealed SMS) and masking.

use std::hint::black_box;

use criterion::Criterion;
use temporary_pin::domain::mobile::MobileNumber;

pub(crate) fn measure(criterion: &mut Criterion) {
    criterion.bench_function("mobile number: parse", |bencher| {
        bencher.iter(|| MobileNumber::parse(black_box("+4520123456")));
    });
    let number = MobileNumber::parse("+4520123456").unwrap();
    criterion.bench_function("mobile number: mask", |bencher| bencher.iter(|| black_box(&number).masked()));
}
