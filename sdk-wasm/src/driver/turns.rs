//! The page's turns: what is written, sent, closed and begun anew as it hides, leaves and comes back.

use super::{Driver, LaneState};
use crate::browser::beacon::send_beacon;
use crate::browser::lifecycle::{Lifecycle, Turn};
use attune_core::client::Client;

impl Driver {
    /// Stores and sends now what waits for it.
    pub fn flush(&'static self) {
        self.storage.flush();
        self.input(|client, _| client.handle_online());
    }

    /// Ends the client on this page: says farewell, takes every change of the page back, listens no more.
    pub fn shutdown(&'static self) {
        self.leave();
        self.lane_state.set(LaneState::Ended);
        self.lifecycle.replace(None);
        self.delivery.end();
        self.bundles.end();
        self.wake.clear();
        if let Some(page) = self.page.get() {
            page.clear();
        }
    }

    /// Listens to the page's turns.
    pub(super) fn watch_turns(&'static self) {
        self.lifecycle.replace(Some(Lifecycle::watch(|turn| self.turn(turn))));
    }

    fn turn(&'static self, turn: Turn) {
        match turn {
            Turn::Hidden => {
                self.send_farewell(|client, now| client.handle_hidden(now));
                self.rest_push();
            }
            Turn::Visible => self.open_push(),
            Turn::Leaving => self.leave(),
            Turn::Restored => {
                self.open_lane();
                self.input(Client::handle_wake);
                self.open_push();
                self.fetch_bundle();
            }
            Turn::Online => {
                self.input(|client, _| client.handle_online());
                self.open_push();
            }
        }
    }

    fn leave(&'static self) {
        self.lane_state.set(LaneState::Left);
        self.send_farewell(Client::handle_leave);
        self.close_push();
        // A page that holds a lock is not kept in the back/forward cache.
        self.locks.release();
    }

    /// Stores everything and hands what is unsent to the browser; it stays stored until a receipt names it.
    fn send_farewell(&'static self, cut: impl FnOnce(&mut Client, attune_core::time::Now) -> Vec<String>) {
        let bodies = self.poll(|client| cut(client, super::fresh::now()));
        self.drain_writes();
        self.storage.flush();
        let url = self.events_url();
        // The browser takes 64 KiB at a time; what it does not take waits in the store.
        let _ = bodies.iter().all(|body| send_beacon(&url, body));
    }
}
