//! Stands before `fsync` and `fdatasync` of a program that has this in `LD_PRELOAD`, as a disk would that lies about what is durable.
//! `ATTUNE_SYNC` says how: `none` syncs nothing, `late` only 50 ms after it has said so, `folders` no folders.

use libc::{SYS_fdatasync, SYS_fsync, c_int, c_long};
use std::sync::OnceLock;
use std::thread;
use std::time::Duration;

const LATE: Duration = Duration::from_millis(50);

/// What the program calls for `fsync`.
#[unsafe(no_mangle)]
pub extern "C" fn fsync(fd: c_int) -> c_int {
    sync(fd, SYS_fsync)
}

/// What the program calls for `fdatasync`.
#[unsafe(no_mangle)]
pub extern "C" fn fdatasync(fd: c_int) -> c_int {
    sync(fd, SYS_fdatasync)
}

fn sync(fd: c_int, call: c_long) -> c_int {
    static KIND: OnceLock<String> = OnceLock::new();
    match KIND.get_or_init(|| std::env::var("ATTUNE_SYNC").unwrap_or_default()).as_str() {
        "none" => 0,
        "late" => {
            // SAFETY: a number of a descriptor is all that is handed over; a wrong one is an error.
            let held = unsafe { libc::dup(fd) };
            thread::spawn(move || {
                thread::sleep(LATE);
                // SAFETY: the descriptor is this thread's own.
                unsafe {
                    libc::syscall(call, held);
                    libc::close(held);
                }
            });
            0
        }
        "folders" if is_folder(fd) => 0,
        // SAFETY: as above; the result and `errno` are the caller's.
        _ => unsafe { libc::syscall(call, fd) as c_int },
    }
}

fn is_folder(fd: c_int) -> bool {
    // SAFETY: zeros are a value of this structure, and it is written to as far as it goes.
    unsafe {
        let mut found: libc::stat = std::mem::zeroed();
        libc::fstat(fd, &raw mut found) == 0 && found.st_mode & libc::S_IFMT == libc::S_IFDIR
    }
}
