//! Pads the response time of refusals, so that latency does not reveal the reason.

use std::time::Duration;

use tokio::time::{Instant, sleep_until};

/// Sleeps until the next multiple of `interval` after `start`. Does nothing if the interval is zero.
pub(super) async fn pad_response_time(start: Instant, interval: Duration) {
    if !interval.is_zero() {
        let intervals = start.elapsed().as_nanos() / interval.as_nanos() + 1;
        sleep_until(start + interval * u32::try_from(intervals).unwrap_or(1)).await;
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use tokio::time::advance;

    use super::*;

    #[rstest]
    #[case::no_work(250, 0, 250)]
    #[case::work_within_the_first_interval(250, 249, 250)]
    #[case::work_of_exactly_one_interval(250, 250, 500)]
    #[case::work_of_several_intervals(250, 1100, 1250)]
    #[case::padding_off(0, 7, 7)]
    #[tokio::test(start_paused = true)]
    async fn a_response_leaves_at_a_multiple_of_the_interval(
        #[case] interval: u64,
        #[case] work: u64,
        #[case] answer: u128,
    ) {
        let start = Instant::now();
        advance(Duration::from_millis(work)).await;
        pad_response_time(start, Duration::from_millis(interval)).await;
        assert_eq!(start.elapsed().as_millis(), answer);
    }
}
