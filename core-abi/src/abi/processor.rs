//! The exports over states that the host owns: open, absorb, combine, save, close.

use super::{HOST, Host, unknown_handle};
use crate::answer::failure;
use crate::{OpenProfile, State, Steps};

/// Makes a processor of the bundle in a buffer, in effect since an instant; 0 where it is none.
#[unsafe(no_mangle)]
pub extern "C" fn processor_new(bundle: usize, at: f64) -> u32 {
    HOST.with_borrow_mut(|host| {
        let bytes = host.take(bundle);
        let steps = Steps::new(&bytes, at);
        host.opened(steps, |host, handle, steps| {
            host.processors.insert(handle, steps);
        })
    })
}

/// Puts the bundle in a buffer into effect at an instant; −1 where it is refused.
#[unsafe(no_mangle)]
pub extern "C" fn processor_publish(handle: u32, bundle: usize, at: f64) -> i32 {
    HOST.with_borrow_mut(|host| {
        let bytes = host.take(bundle);
        host.done(handle, |steps| steps.publish(&bytes, at))
    })
}

/// Gives a share of all members the candidate that the statement in a buffer names and that is in another, or none any
/// more; −1 where it is refused.
#[unsafe(no_mangle)]
pub extern "C" fn processor_rollout(handle: u32, statement: usize, candidate: usize, at: f64) -> i32 {
    HOST.with_borrow_mut(|host| {
        let (statement, candidate) = (host.take(statement), host.take(candidate));
        host.done(handle, |steps| steps.roll_out(&statement, &candidate, at))
    })
}

/// Takes the records in a buffer into a member's state.
#[unsafe(no_mangle)]
pub extern "C" fn processor_absorb(handle: u32, member: u32, records: usize) -> usize {
    HOST.with_borrow_mut(|host| {
        let records = host.text(records);
        host.step(handle, member, |steps, state| Ok(steps.absorb(state.member()?, &records)))
    })
}

/// Takes the changes in a buffer into a profile's state.
#[unsafe(no_mangle)]
pub extern "C" fn processor_combine(handle: u32, profile: u32, left: u32, changes: usize) -> usize {
    HOST.with_borrow_mut(|host| {
        let changes = host.text(changes);
        if left == 0 {
            return host
                .step(handle, profile, |steps, state| Ok(steps.combine(state.profile()?, None, &changes)));
        }
        // Out of the table while the other state is changed.
        let Some(mut left_state) = host.states.remove(&left) else {
            return host.answer(unknown_handle());
        };
        let answer = host.step(handle, profile, |steps, state| {
            let left: &mut OpenProfile = left_state.profile()?;
            Ok(steps.combine(state.profile()?, Some(left), &changes))
        });
        host.states.insert(left, left_state);
        answer
    })
}

/// Lets time pass for a profile's state.
#[unsafe(no_mangle)]
pub extern "C" fn processor_wake(handle: u32, profile: u32, at: f64) -> usize {
    HOST.with_borrow_mut(|host| host.step(handle, profile, |steps, state| steps.wake(state.profile()?, at)))
}

/// Decides the slots of a profile's state in the context in a buffer.
#[unsafe(no_mangle)]
pub extern "C" fn processor_decide(handle: u32, profile: u32, context: usize) -> usize {
    HOST.with_borrow_mut(|host| {
        let bytes = host.take(context);
        host.step(handle, profile, |steps, state| {
            let text = core::str::from_utf8(&bytes);
            let text = text.map_err(|_| failure("text_not_utf8", "the context is not UTF-8"))?;
            steps.decide(state.profile()?, text)
        })
    })
}

/// A profile's state, to be read.
#[unsafe(no_mangle)]
pub extern "C" fn processor_profile(handle: u32, profile: u32) -> usize {
    HOST.with_borrow_mut(|host| host.step(handle, profile, |steps, state| Ok(steps.view(state.profile()?))))
}

/// Reads signals of a profile's state as the questions in a buffer ask.
#[unsafe(no_mangle)]
pub extern "C" fn processor_read(handle: u32, profile: u32, questions: usize) -> usize {
    HOST.with_borrow_mut(|host| {
        let questions = host.text(questions);
        host.step(handle, profile, |steps, state| Ok(steps.read(state.profile()?, &questions)))
    })
}

/// Frees a processor; states stay.
#[unsafe(no_mangle)]
pub extern "C" fn processor_free(handle: u32) {
    HOST.with_borrow_mut(|host| host.processors.remove(&handle));
}

/// Opens the state of the member named in a buffer from the bytes in another, or a new one without; 0 where they are
/// none of it.
#[unsafe(no_mangle)]
pub extern "C" fn member_open(member: usize, saved: usize) -> u32 {
    HOST.with_borrow_mut(|host| {
        let (member, saved) = (host.text(member), host.take(saved));
        let state = State::open_member(&member, &saved);
        host.open_state(state)
    })
}

/// Opens a profile's state from the bytes in a buffer, or an empty one without; 0 where they are none.
#[unsafe(no_mangle)]
pub extern "C" fn profile_open(saved: usize) -> u32 {
    HOST.with_borrow_mut(|host| {
        let saved = host.take(saved);
        let state = State::open_profile(&saved);
        host.open_state(state)
    })
}

/// The bytes from which a state is opened again; 0 for a handle of none.
#[unsafe(no_mangle)]
pub extern "C" fn state_save(handle: u32) -> usize {
    HOST.with_borrow_mut(|host| match host.states.get(&handle) {
        Some(state) => {
            let bytes = state.save();
            host.keep(bytes.into_boxed_slice())
        }
        None => {
            host.last_error = unknown_handle();
            0
        }
    })
}

/// Closes a state without saving it.
#[unsafe(no_mangle)]
pub extern "C" fn state_close(handle: u32) {
    HOST.with_borrow_mut(|host| host.states.remove(&handle));
}

impl Host {
    fn open_state(&mut self, state: Result<State, String>) -> u32 {
        self.opened(state, |host, handle, state| {
            host.states.insert(handle, state);
        })
    }

    /// Has something done to a processor; −1 where it is refused, with the reason in `last_error`.
    fn done(&mut self, handle: u32, act: impl FnOnce(&mut Steps) -> Result<(), String>) -> i32 {
        let steps = self.processors.get_mut(&handle).ok_or_else(unknown_handle);
        match steps.and_then(act) {
            Ok(()) => 0,
            Err(error) => {
                self.last_error = error;
                -1
            }
        }
    }

    /// Answers with what a step over a state says, or why there is no such step.
    fn step(
        &mut self,
        handle: u32,
        state: u32,
        step: impl FnOnce(&Steps, &mut State) -> Result<String, String>,
    ) -> usize {
        let text = match (self.processors.get(&handle), self.states.get_mut(&state)) {
            (Some(steps), Some(state)) => step(steps, state).unwrap_or_else(|error| error),
            _ => unknown_handle(),
        };
        self.answer(text)
    }
}
