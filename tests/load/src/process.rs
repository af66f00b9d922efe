//! What processes cost, from `/proc`.

use std::fs;
use std::time::Duration;

/// Ticks per second of the times in `/proc`; Linux has shown 100 to programs on every platform since 2.6.
const TICKS: u64 = 100;

/// A process and its children, the ended ones as well.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Tree(pub(crate) u32);

/// CPU time that this very process has used so far, without its children: the bench has started the services itself.
pub(crate) fn own_cpu_time() -> Duration {
    time(times(std::process::id()).map_or(0, |[user, system, ..]| user + system))
}

fn time(ticks: u64) -> Duration {
    Duration::from_millis(ticks * 1000 / TICKS)
}

impl Tree {
    /// CPU time used so far, of user and system. Zero when there is no such process.
    pub(crate) fn cpu_time(self) -> Duration {
        let own = times(self.0).map_or(0, |[user, system, children_user, children_system]| {
            user + system + children_user + children_system
        });
        let children: u64 = children(self.0).filter_map(times).map(|[user, system, ..]| user + system).sum();
        time(own + children)
    }

    /// The most memory that the process itself has held, in KiB, since [`Self::forget_peak`].
    pub(crate) fn peak_memory(self) -> Option<u64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.0)).ok()?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
        line.trim().trim_end_matches("kB").trim().parse().ok()
    }

    /// From here on the peak counts anew.
    pub(crate) fn forget_peak(self) {
        // Not allowed for somebody else's process: then the peak is the one since its start.
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

/// The fields behind the program's name, which may hold spaces itself: state, parent and on.
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
