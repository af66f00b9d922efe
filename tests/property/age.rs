use chrono::{Datelike as _, NaiveDate, TimeDelta};
use proptest::prelude::*;
use temporary_pin::domain::calendar::{age_on, date_in_copenhagen, start_of_birthday};

/// A day from 1900 to 2099. One in four is a leap day.
fn day() -> impl Strategy<Value = NaiveDate> {
    let any_day =
        (0..73_000_i64).prop_map(|days| NaiveDate::from_ymd_opt(1900, 1, 1).expect("a date") + TimeDelta::days(days));
    let leap_day = (0..25_i32).prop_map(|n| NaiveDate::from_ymd_opt(1904 + 4 * n, 2, 29).expect("a leap day"));
    prop_oneof![3 => any_day, 1 => leap_day]
}

/// Counts the birthdays one by one. In a year without 29 February that birthday is on 1 March.
fn birthdays_until(birth_date: NaiveDate, today: NaiveDate) -> u32 {
    let birthday_in = |year| {
        NaiveDate::from_ymd_opt(year, birth_date.month(), birth_date.day())
            .unwrap_or_else(|| NaiveDate::from_ymd_opt(year, 3, 1).expect("a date"))
    };
    let count = (birth_date.year() + 1..=today.year()).filter(|year| birthday_in(*year) <= today).count();
    u32::try_from(count).expect("not that old")
}

proptest! {
    #[test]
    fn r11_the_age_is_the_number_of_birthdays(birth_date in day(), today in day()) {
        prop_assert_eq!(age_on(birth_date, today), birthdays_until(birth_date, today));
    }

    #[test]
    fn r11_the_age_changes_at_the_start_of_the_birthday(birth_date in day(), years in 1..120_u32) {
        let start = start_of_birthday(birth_date, years);
        prop_assert_eq!(age_on(birth_date, date_in_copenhagen(start)), years);
        prop_assert_eq!(age_on(birth_date, date_in_copenhagen(start - TimeDelta::microseconds(1))), years - 1);
    }
}
