//! CPU time and memory of processes, from `/proc`.

use std::fs;
use std::time::Duration;

/// The unit of the times in `/proc`. Linux shows 100 ticks per second on every platform since 2.6.
const TICKS_PER_SECOND: u64 = 100;

/// Of the fields that [`read_stat`] returns: the parent, and the first of four times.
const PARENT_FIELD: usize = 1;
const USER_TIME_FIELD: usize = 11;

/// What `clear_refs` takes to reset the peak (`proc(5)`).
const RESET_PEAK: &str = "5";

/// A process and its children, including ended ones.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ProcessTree(pub(crate) u32);

/// The CPU time of this process, without its children, which are measured on their own.
pub(crate) fn own_cpu_time() -> Duration {
    ticks_to_duration(read_ticks(std::process::id()).map_or(0, |[user, system, ..]| user + system))
}

fn ticks_to_duration(ticks: u64) -> Duration {
    Duration::from_millis(ticks * 1000 / TICKS_PER_SECOND)
}

impl ProcessTree {
    /// User and system time so far. Zero if there is no such process.
    pub(crate) fn cpu_time(self) -> Duration {
        let own = read_ticks(self.0).map_or(0, |[user, system, children_user, children_system]| {
            user + system + children_user + children_system
        });
        let children: u64 = list_children(self.0).filter_map(read_ticks).map(|[user, system, ..]| user + system).sum();
        ticks_to_duration(own + children)
    }

    /// The peak of the process's own memory since [`Self::reset_peak_memory`], in KiB. Children do not count.
    pub(crate) fn peak_memory(self) -> Option<u64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.0)).ok()?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
        line.trim().trim_end_matches("kB").trim().parse().ok()
    }

    /// Begins a new measurement of the peak memory.
    pub(crate) fn reset_peak_memory(self) {
        // Fails for the process of another user. `peak_memory` is then the peak since that process has started.
        let _ = fs::write(format!("/proc/{}/clear_refs", self.0), RESET_PEAK);
    }
}

/// `utime`, `stime`, `cutime` and `cstime` of `proc(5)`, in ticks.
fn read_ticks(pid: u32) -> Option<[u64; 4]> {
    let fields = read_stat(pid)?;
    let mut times = fields.iter().skip(USER_TIME_FIELD).map(|field| field.parse().unwrap_or_default());
    Some([times.next()?, times.next()?, times.next()?, times.next()?])
}

fn list_children(parent: u32) -> impl Iterator<Item = u32> {
    let processes = fs::read_dir("/proc").into_iter().flatten().flatten();
    let ids = processes.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    ids.filter(move |pid| read_stat(*pid).and_then(|fields| fields.get(PARENT_FIELD)?.parse().ok()) == Some(parent))
}

/// The fields after the program's name, which can contain spaces: state, parent and so on.
fn read_stat(pid: u32) -> Option<Vec<String>> {
    let line = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    Some(line.rsplit_once(')')?.1.split_whitespace().map(str::to_owned).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_has_used_time_and_memory() {
        let this = ProcessTree(std::process::id());
        let before = this.cpu_time();
        while this.cpu_time() < before + Duration::from_millis(30) {
            std::hint::black_box((0..1_000_000_u64).fold(0, u64::wrapping_add));
        }
        let own = own_cpu_time();
        assert!(own > Duration::ZERO && own <= this.cpu_time(), "{own:?}");
        assert!(this.peak_memory().is_some_and(|kib| kib > 100));
        assert_eq!(ProcessTree(u32::MAX).cpu_time(), Duration::ZERO);
    }
}
