//! CPU time and memory of processes, from `/proc`.

use std::fs;
use std::time::Duration;

/// The unit of the times in `/proc`. Linux shows 100 ticks per second on every platform since 2.6.
const TICKS_PER_SECOND: u64 = 100;

/// A process and its children, including ended ones.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Tree(pub(crate) u32);

/// The CPU time of this process, without its children: those are the measured services.
pub(crate) fn own_cpu_time() -> Duration {
    time(times(std::process::id()).map_or(0, |[user, system, ..]| user + system))
}

fn time(ticks: u64) -> Duration {
    Duration::from_millis(ticks * 1000 / TICKS_PER_SECOND)
}

impl Tree {
    /// User and system time so far. Zero if there is no such process.
    pub(crate) fn cpu_time(self) -> Duration {
        let own = times(self.0).map_or(0, |[user, system, children_user, children_system]| {
            user + system + children_user + children_system
        });
        let children: u64 = children(self.0).filter_map(times).map(|[user, system, ..]| user + system).sum();
        time(own + children)
    }

    /// The peak of the process's own memory since [`Self::forget_peak`], in KiB.
    pub(crate) fn peak_memory(self) -> Option<u64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.0)).ok()?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
        line.trim().trim_end_matches("kB").trim().parse().ok()
    }

    /// Resets the peak.
    pub(crate) fn forget_peak(self) {
        // Fails for another user's process. Then the peak is that since its start.
        let _ = fs::write(format!("/proc/{}/clear_refs", self.0), "5");
    }
}

/// `utime`, `stime`, `cutime` and `cstime` of `proc(5)`, in ticks.
fn times(pid: u32) -> Option<[u64; 4]> {
    let fields = fields(pid)?;
    let mut times = fields.iter().skip(11).map(|field| field.parse().unwrap_or_default());
    Some([times.next()?, times.next()?, times.next()?, times.next()?])
}

fn children(parent: u32) -> impl Iterator<Item = u32> {
    let processes = fs::read_dir("/proc").into_iter().flatten().flatten();
    let ids = processes.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    ids.filter(move |pid| fields(*pid).and_then(|fields| fields.get(1)?.parse().ok()) == Some(parent))
}

/// The fields after the program's name, which can contain spaces: state, parent and so on.
fn fields(pid: u32) -> Option<Vec<String>> {
    let line = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    Some(line.rsplit_once(')')?.1.split_whitespace().map(str::to_owned).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_has_used_time_and_memory() {
        let this = Tree(std::process::id());
        let before = this.cpu_time();
        let mut sum = 0_u64;
        while this.cpu_time() < before + Duration::from_millis(30) {
            sum = (0..1_000_000_u64).fold(sum, u64::wrapping_add);
        }
        let own = own_cpu_time();
        assert!(own > Duration::ZERO && own <= this.cpu_time(), "{own:?}");
        assert!(this.peak_memory().is_some_and(|kib| kib > 100), "{sum}");
        assert_eq!(Tree(u32::MAX).cpu_time(), Duration::ZERO);
    }
}
