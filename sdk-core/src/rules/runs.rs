//! The order in which the leaves of a table are written.

use crate::condition::Code;

/// Numbers of leaves in runs: the first of each as the difference to the first of the one before, then how many.
pub(super) struct Runs<'a> {
    runs: Code<'a>,
    first: u32,
    next: u32,
    left: u64,
}

impl<'a> Runs<'a> {
    /// Reads the runs that the code begins with and moves behind them.
    pub fn read(code: &mut Code<'a>) -> Self {
        Self { runs: code.sized(), first: 0, next: 0, left: 0 }
    }

    /// The next number.
    pub fn number(&mut self) -> u32 {
        let (number, _) = self.run();
        self.pass(1);
        number
    }

    /// The number that comes next, and how many follow each other from it on.
    pub fn run(&mut self) -> (u32, u64) {
        if self.left == 0 {
            (self.next, self.left) = (self.runs.difference(&mut self.first), self.runs.number());
            if self.left == 0 {
                // Whoever looks twice must not find the next one.
                self.runs.fail();
                self.left = u64::MAX;
            }
        }
        (self.next, self.left)
    }

    /// Moves behind so many numbers of a run.
    pub fn pass(&mut self, count: u32) {
        self.left = self.left.wrapping_sub(u64::from(count));
        self.next = self.next.wrapping_add(count);
    }

    /// Whether all numbers have been read.
    pub fn is_whole(&self) -> bool {
        self.left == 0 && self.runs.is_whole()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::condition::{Form, Packer};

    #[test]
    fn a_run_of_nothing_is_unsound_however_often_it_is_looked_at() {
        // How far each begins behind the one before, doubled, and how many numbers it has.
        for (bytes, is_sound) in [([0, 2, 4, 1], true), ([0, 0, 4, 3], false)] {
            let mut packer = Packer::new();
            packer.group(&bytes, |byte, packer| packer.out.u8(*byte));
            let form = Form::open(&packer.finish()).unwrap();
            for looks in 0..3 {
                let mut runs = Runs::read(&mut form.at(0));
                for _ in 0..3 {
                    (0..looks).for_each(|_| assert!(runs.run().1 > 0));
                    runs.number();
                }
                assert_eq!(runs.is_whole(), is_sound);
            }
        }
    }
}
