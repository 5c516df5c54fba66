//! How the descriptors that the system allows are shared out, so that connections never take what log and store need.

use crate::limits::{MIN_DESCRIPTORS, RESERVED_DESCRIPTORS, STORE_FILES};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// What each may have open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Descriptors {
    /// Connections of the public listener.
    pub connections: usize,
    /// Files of one opened store; a second is open while erased members are purged.
    pub store_files: usize,
}

/// Raises the limit of this process as far as the system allows; returns it.
pub fn raise_limit() -> usize {
    let limit = getrlimit(Resource::Nofile);
    // Where it cannot be raised it is what it was.
    let _ = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, maximum: limit.maximum });
    let limit = getrlimit(Resource::Nofile).current;
    limit.map_or(usize::MAX, |limit| usize::try_from(limit).unwrap_or(usize::MAX))
}

/// Shares a limit out, where so many connections are wanted.
///
/// # Errors
/// Too few for a collector, in one line.
pub fn share_out(limit: usize, wanted: usize) -> Result<Descriptors, String> {
    if limit < MIN_DESCRIPTORS {
        return Err(format!(
            "the system allows {limit} open files (ulimit -Hn); the collector needs {MIN_DESCRIPTORS}"
        ));
    }
    let store_files = STORE_FILES.min(limit / 8);
    let connections = wanted.min(limit - 2 * store_files - RESERVED_DESCRIPTORS);
    Ok(Descriptors { connections, store_files })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_leave_enough_for_everything_else() {
        let share = |limit| share_out(limit, 16_384);
        assert_eq!(share(1_024), Ok(Descriptors { connections: 576, store_files: 128 }));
        assert_eq!(share(4_096), Ok(Descriptors { connections: 2_880, store_files: 512 }));
        assert_eq!(share(65_536), Ok(Descriptors { connections: 16_384, store_files: 900 }));
        assert_eq!(share(MIN_DESCRIPTORS).map(|shares| shares.connections), Ok(192));
        assert!(share(MIN_DESCRIPTORS - 1).unwrap_err().contains("needs 512"));
    }

    #[test]
    fn the_limit_is_raised_to_what_the_system_allows() {
        let limit = raise_limit();
        let allowed = getrlimit(Resource::Nofile);
        assert_eq!(allowed.current, allowed.maximum);
        assert_eq!(allowed.current.map_or(usize::MAX, |limit| usize::try_from(limit).unwrap()), limit);
    }
}
