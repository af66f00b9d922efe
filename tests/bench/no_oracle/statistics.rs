//! Distributions of times, and the distance between them.

use std::time::Duration;

/// Times, both sorted and in the order of the calls.
pub(crate) struct Sample {
    sorted: Vec<Duration>,
    as_they_came: Vec<Duration>,
}

impl Sample {
    pub(crate) fn new(times: Vec<Duration>) -> Self {
        let mut sorted = times.clone();
        sorted.sort_unstable();
        Self { sorted, as_they_came: times }
    }

    pub(crate) fn len(&self) -> usize {
        self.sorted.len()
    }

    pub(crate) fn quantile(&self, share: f64) -> Duration {
        self.sorted[((self.len() - 1) as f64 * share).round() as usize]
    }

    /// The distance between every other call and the rest: the distance within one kind.
    pub(crate) fn within_itself(&self) -> f64 {
        let every_other = |skip| Self::new(self.as_they_came.iter().copied().skip(skip).step_by(2).collect());
        distance(&every_other(0), &every_other(1))
    }

    /// The share of times up to this one.
    fn up_to(&self, time: Duration) -> f64 {
        self.sorted.partition_point(|other| *other <= time) as f64 / self.len() as f64
    }
}

/// The greatest distance between the two distribution functions.
pub(crate) fn distance(one: &Sample, other: &Sample) -> f64 {
    let times = one.sorted.iter().chain(&other.sorted);
    times.map(|time| (one.up_to(*time) - other.up_to(*time)).abs()).fold(0.0, f64::max)
}

/// The distance that two samples of one distribution exceed in one of a hundred cases.
pub(crate) fn noise(one: &Sample, other: &Sample) -> f64 {
    let (one, other) = (one.len() as f64, other.len() as f64);
    1.628 * ((one + other) / (one * other)).sqrt()
}
