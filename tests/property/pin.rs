use rand::SeedableRng as _;
use rand::rngs::StdRng;
use temporary_pin::domain::pin::Pin;

const DRAWS: usize = 100_000;

/// Pearson's chi-squared statistic for counts that should be equal.
fn chi_square(counts: &[usize]) -> f64 {
    let expected = counts.iter().sum::<usize>() as f64 / counts.len() as f64;
    counts.iter().map(|count| (*count as f64 - expected).powi(2) / expected).sum()
}

#[test]
fn r1_pins_are_uniform_and_keep_leading_zeros() {
    let mut rng = StdRng::seed_from_u64(20_261_123);
    let mut by_digit = [[0_usize; 10]; 8];
    let mut by_first_digits = [0_usize; 1000];
    for _ in 0..DRAWS {
        let pin = Pin::draw(&mut rng);
        let digits = pin.digits();
        assert_eq!(digits.len(), 8);
        assert_eq!(Pin::parse(digits).as_ref(), Ok(&pin));
        for (position, digit) in digits.bytes().enumerate() {
            by_digit[position][usize::from(digit - b'0')] += 1;
        }
        by_first_digits[digits[..3].parse::<usize>().unwrap()] += 1;
    }
    // The limits are the quantiles at 0.9999: of ten thousand seeds of a fair generator, one exceeds them.
    for counts in by_digit {
        assert!(chi_square(&counts) < 33.7, "{counts:?}");
    }
    assert!(chi_square(&by_first_digits) < 1170.0);
    assert!(by_first_digits[0] > 0, "none of {DRAWS} PINs begins with 000");
}
