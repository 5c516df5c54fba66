//! The exports, and what a WebAssembly file without the standard library needs: an allocator and a panic handler.

use crate::door::Door;
use core::cell::UnsafeCell;

/// Small and constant in time; the standard one is larger than all of this.
#[global_allocator]
static ALLOCATOR: rlsf::SmallGlobalTlsf = rlsf::SmallGlobalTlsf::new();

struct Instance(UnsafeCell<Door>);

// SAFETY: a WebAssembly instance without shared memory has one thread.
unsafe impl Sync for Instance {}

static INSTANCE: Instance = Instance(UnsafeCell::new(Door::new()));

/// Neither this nor the core has panics by lint; one that is there all the same ends the call, and the host reports it.
#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    core::arch::wasm32::unreachable()
}

/// Makes room for an input of so many bytes; returns where the host writes it.
#[unsafe(no_mangle)]
pub extern "C" fn input(length: usize) -> *mut u8 {
    door().input(length).as_mut_ptr()
}

/// Carries out an operation with the input written; returns the length of its output.
#[unsafe(no_mangle)]
pub extern "C" fn call(operation: u32, length: usize) -> usize {
    door().call(operation, length)
}

/// Where the output of the last call stands.
#[unsafe(no_mangle)]
pub extern "C" fn output() -> *const u8 {
    door().output().as_ptr()
}

fn door() -> &'static mut Door {
    // SAFETY: there is one thread, no export is called while another runs (there are no imports to call back from),
    // and none keeps the reference.
    unsafe { &mut *INSTANCE.0.get() }
}
