//! The programs that tests start.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;

/// The service's program, which cargo builds for the tests of its package.
pub fn service() -> PathBuf {
    env::var_os("CARGO_BIN_EXE_temporary-pin").expect("cargo runs the tests of the package temporary-pin").into()
}

/// The sandbox's program. The first call builds it, because cargo does not build programs of other packages for a test.
pub fn sandbox() -> &'static Path {
    static PROGRAM: LazyLock<PathBuf> = LazyLock::new(|| {
        // A test is TARGET/PROFILE/deps/NAME, a program TARGET/PROFILE/NAME.
        let test = env::current_exe().expect("a test knows its file");
        let programs = test.ancestors().nth(2).expect("a test has two folders above it");
        let profile = programs.file_name().filter(|profile| *profile != "debug").unwrap_or("dev".as_ref());
        let status = Command::new(env::var_os("CARGO").unwrap_or("cargo".into()))
            .args(["build", "--quiet", "--locked", "--package", "sandbox", "--bin", "sandbox", "--profile"])
            .arg(profile)
            .arg("--target-dir")
            .arg(programs.parent().expect("the target directory is above"))
            .current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
            .status();
        assert!(status.expect("cargo starts").success(), "the sandbox does not build");
        programs.join("sandbox")
    });
    &PROGRAM
}
