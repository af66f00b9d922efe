#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    properties::mobile_number(data);
});
