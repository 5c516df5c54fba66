//! Reversible changes to the page.

mod change;
mod kept;
mod page;

pub use change::{Change, ChangeKind};
pub use kept::DomProblem;
pub use page::Page;
