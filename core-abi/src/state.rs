//! The states that a host opens from bytes, keeps open while they are hot, and saves.

use crate::answer::failure;
use attune_core::id::MemberId;
use attune_core::processor::ProfileState;
use attune_core::profile::{MemberState, SnapshotError};
use attune_core::rules::Decision;

/// An open state.
#[derive(Debug)]
pub enum State {
    /// A member's, for absorbing.
    Member(Box<MemberState>),
    /// A profile's, for combining.
    Profile(Box<OpenProfile>),
}

/// A profile's state, and the decisions that it was last answered with since it was opened.
#[derive(Debug, Default)]
pub struct OpenProfile {
    pub(crate) state: ProfileState,
    pub(crate) decisions: Vec<Decision>,
}

impl State {
    /// A member's state from the bytes that were saved of it, or a new one where there are none.
    ///
    /// # Errors
    /// Bytes that are no such state or another member's, and a name that is none, as an object with `error` and
    /// `message`.
    pub fn open_member(member: &str, saved: &[u8]) -> Result<Self, String> {
        if member.is_empty() {
            return Err(failure("member_missing", "the member has no anonymous_id"));
        }
        let member = MemberId(member.into());
        if saved.is_empty() {
            return Ok(Self::Member(Box::new(MemberState::new(member))));
        }
        let state = MemberState::decode(saved).map_err(refused)?;
        if *state.member() != member {
            return Err(failure("member_other", "the saved state is of another member"));
        }
        Ok(Self::Member(Box::new(state)))
    }

    /// A profile's state from the bytes that were saved of it, or an empty one where there are none.
    ///
    /// # Errors
    /// Bytes that are no such state, as an object with `error` and `message`.
    pub fn open_profile(saved: &[u8]) -> Result<Self, String> {
        let state = if saved.is_empty() {
            ProfileState::default()
        } else {
            ProfileState::decode(saved).map_err(refused)?
        };
        Ok(Self::Profile(Box::new(OpenProfile { state, decisions: Vec::new() })))
    }

    /// The bytes from which the state is opened again: versioned, with a checksum, equal for equal states.
    pub fn save(&self) -> Vec<u8> {
        match self {
            Self::Member(member) => member.encode(),
            Self::Profile(profile) => profile.state.encode(),
        }
    }

    /// The member's state that this is.
    ///
    /// # Errors
    /// It is a profile's.
    pub fn member(&mut self) -> Result<&mut MemberState, String> {
        match self {
            Self::Member(member) => Ok(member),
            Self::Profile(_) => Err(failure("state_not_member", "this is the state of a profile")),
        }
    }

    /// The profile's state that this is.
    ///
    /// # Errors
    /// It is a member's.
    pub fn profile(&mut self) -> Result<&mut OpenProfile, String> {
        match self {
            Self::Profile(profile) => Ok(profile),
            Self::Member(_) => Err(failure("state_not_profile", "this is the state of a member")),
        }
    }
}

fn refused(error: SnapshotError) -> String {
    failure(error.code(), &error.to_string())
}
