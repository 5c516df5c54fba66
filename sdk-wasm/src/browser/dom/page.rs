//! The changes in effect by slot, kept in place while the page renders anew.

use super::change::Change;
use super::kept::{DomProblem, Kept};
use crate::browser::clock::monotonic_ms;
use js_sys::Array;
use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::Rc;
use wasm_bindgen::prelude::*;
use web_sys::{Document, MutationObserver, MutationObserverInit, window};

/// The document with the changes that slots make to it.
pub struct Page {
    state: Rc<State>,
    observer: MutationObserver,
    _observed: Closure<dyn FnMut(Array, MutationObserver)>,
}

struct State {
    document: Document,
    slots: RefCell<Vec<(Box<str>, Vec<Kept>)>>,
    /// Changes of slots that wait for their turn: an element's own code may run while another change is made.
    waiting: RefCell<VecDeque<(Box<str>, Vec<Change>)>>,
    is_busy: Cell<bool>,
    report: Box<dyn Fn(DomProblem)>,
}

impl Page {
    /// A page without changes; nothing where there is no document.
    pub fn new(report: impl Fn(DomProblem) + 'static) -> Option<Self> {
        let state = Rc::new(State {
            document: window()?.document()?,
            slots: RefCell::default(),
            waiting: RefCell::default(),
            is_busy: Cell::new(false),
            report: Box::new(report),
        });
        let watched = Rc::clone(&state);
        let observed = Closure::new(move |_, observer: MutationObserver| {
            watched.work();
            // What was just done is not to be looked at again.
            observer.take_records();
        });
        let observer = MutationObserver::new(observed.as_ref().unchecked_ref()).ok()?;
        Some(Self { state, observer, _observed: observed })
    }

    /// Replaces the changes that a slot makes.
    pub fn set(&self, slot: &str, changes: Vec<Change>) {
        self.state.waiting.borrow_mut().push_back((slot.into(), changes));
        self.state.work();
        self.observe();
    }

    /// Takes every change back.
    pub fn clear(&self) {
        let names: Vec<Box<str>> = self.state.slots.borrow().iter().map(|(name, _)| name.clone()).collect();
        names.into_iter().for_each(|name| self.set(&name, Vec::new()));
    }

    /// Watches for what the changes in effect need, and for nothing while there are none.
    fn observe(&self) {
        self.observer.disconnect();
        let slots = self.state.slots.borrow();
        let mut kept = slots.iter().flat_map(|(_, kept)| kept).peekable();
        if kept.peek().is_none() {
            return;
        }
        let attributes = Array::new();
        for name in kept.filter_map(|kept| kept.change().kind.attribute()) {
            attributes.push(&name.into());
        }
        let options = MutationObserverInit::new();
        options.set_child_list(true);
        options.set_character_data(true);
        options.set_subtree(true);
        if attributes.length() > 0 {
            options.set_attribute_filter(&attributes);
        }
        // Fails for options that watch nothing only.
        let _ = self.observer.observe_with_options(&self.state.document, &options);
    }
}

impl Drop for Page {
    fn drop(&mut self) {
        self.observer.disconnect();
    }
}

impl State {
    fn work(&self) {
        if self.is_busy.replace(true) {
            return;
        }
        loop {
            while let Some((slot, changes)) = self.next_waiting() {
                self.replace(&slot, changes);
            }
            self.ensure();
            if self.waiting.borrow().is_empty() {
                break;
            }
        }
        self.is_busy.set(false);
    }

    fn next_waiting(&self) -> Option<(Box<str>, Vec<Change>)> {
        self.waiting.borrow_mut().pop_front()
    }

    /// A change that the slot goes on making stays as it is: the page does not flicker.
    fn replace(&self, slot: &str, changes: Vec<Change>) {
        let mut slots = self.slots.take();
        let at = slots.iter().position(|(name, _)| &**name == slot);
        let before = at.map(|at| slots.swap_remove(at).1).unwrap_or_default();
        let (mut staying, going): (Vec<Kept>, Vec<Kept>) =
            before.into_iter().partition(|kept| changes.contains(kept.change()));
        going.into_iter().rev().for_each(Kept::take_back);
        let kept: Vec<Kept> = changes
            .into_iter()
            .map(|change| match staying.iter().position(|kept| *kept.change() == change) {
                Some(at) => staying.swap_remove(at),
                None => Kept::new(change),
            })
            .collect();
        if !kept.is_empty() {
            slots.push((slot.into(), kept));
        }
        self.slots.replace(slots);
    }

    fn ensure(&self) {
        let now_ms = monotonic_ms();
        let mut slots = self.slots.take();
        let kept = slots.iter_mut().flat_map(|(_, kept)| kept);
        let problems: Vec<DomProblem> = kept.filter_map(|kept| kept.ensure(&self.document, now_ms)).collect();
        self.slots.replace(slots);
        problems.into_iter().for_each(&self.report);
    }
}

#[cfg(test)]
#[cfg(target_arch = "wasm32")]
mod tests {
    use super::super::change::ChangeKind;
    use super::*;
    use crate::browser::promise::test::pause;
    use wasm_bindgen_test::wasm_bindgen_test;
    use web_sys::Element;

    type Problems = Rc<RefCell<Vec<DomProblem>>>;

    fn open(markup: &str) -> (Page, Element, Problems) {
        let document = window().unwrap().document().unwrap();
        let root = document.create_element("section").unwrap();
        root.set_inner_html(markup);
        document.body().unwrap().append_child(&root).unwrap();
        let problems = Problems::default();
        let reported = Rc::clone(&problems);
        let page = Page::new(move |problem| reported.borrow_mut().push(problem)).unwrap();
        (page, root, problems)
    }

    fn change(target: &str, kind: ChangeKind) -> Change {
        Change { target: target.into(), kind }
    }

    fn text(target: &str, value: &str) -> Change {
        change(target, ChangeKind::Text(value.into()))
    }

    #[wasm_bindgen_test]
    fn every_change_is_made_and_taken_back() {
        let markup =
            r#"<p id="p1" title="old" class="a b" style="color: red">one</p><p id="p2" hidden="">two</p>"#;
        let (page, root, problems) = open(markup);
        page.set(
            "slot",
            vec![
                text("#p1", "new <b>text</b>"),
                change("#p1", ChangeKind::Attribute("title".into(), "new".into())),
                change("#p1", ChangeKind::Attribute("lang".into(), "de".into())),
                change("#p1", ChangeKind::Class { add: vec!["c".into()], remove: vec!["a".into()] }),
                change("#p1", ChangeKind::Style("color".into(), "blue".into())),
                change("#p2", ChangeKind::Show),
            ],
        );
        let made = r#"<p id="p1" title="new" class="b c" style="color: blue;" lang="de">new &lt;b&gt;text&lt;/b&gt;</p><p id="p2">two</p>"#;
        assert_eq!(root.inner_html().replace(r#" style="""#, ""), made);
        page.set("slot", Vec::new());
        let before =
            r#"<p id="p1" title="old" class="b a" style="color: red;">one</p><p id="p2" hidden="">two</p>"#;
        assert_eq!(root.inner_html().replace(r#" style="""#, ""), before);
        assert_eq!(*problems.borrow(), []);
        root.remove();
    }

    #[wasm_bindgen_test]
    fn hiding_wins_over_a_style_sheet_and_showing_too() {
        let markup = r#"<style>.gone { display: none } .flex { display: flex !important }</style>
            <p id="h1" class="flex">x</p><p id="h2" class="gone">y</p>"#;
        let (page, root, _) = open(markup);
        let display = |id: &str| {
            let element = root.query_selector(id).unwrap().unwrap();
            let style = window().unwrap().get_computed_style(&element).unwrap().unwrap();
            style.get_property_value("display").unwrap()
        };
        page.set("slot", vec![change("#h1", ChangeKind::Hide), change("#h2", ChangeKind::Show)]);
        assert_eq!((display("#h1"), display("#h2")), ("none".into(), "block".into()));
        page.clear();
        assert_eq!((display("#h1"), display("#h2")), ("flex".into(), "none".into()));
        root.remove();
    }

    #[wasm_bindgen_test]
    fn child_elements_come_back_as_they_were() {
        let (page, root, _) = open(r#"<h1 id="c1">Hello <b>you</b></h1>"#);
        let bold = root.query_selector("b").unwrap().unwrap();
        page.set("slot", vec![text("#c1", "Bye")]);
        assert_eq!(root.inner_html(), r#"<h1 id="c1">Bye</h1>"#);
        page.set("slot", Vec::new());
        assert_eq!(root.inner_html(), r#"<h1 id="c1">Hello <b>you</b></h1>"#);
        assert!(bold.is_connected());
        root.remove();
    }

    #[wasm_bindgen_test]
    fn another_decision_begins_from_the_original() {
        let (page, root, _) = open(r#"<p id="d1">one</p>"#);
        page.set("slot", vec![text("#d1", "two")]);
        page.set("slot", vec![text("#d1", "three")]);
        assert_eq!(root.text_content().unwrap(), "three");
        page.clear();
        assert_eq!(root.text_content().unwrap(), "one");
        root.remove();
    }

    #[wasm_bindgen_test]
    async fn late_and_rendered_elements_are_changed_too() {
        let (page, root, problems) = open("");
        page.set("slot", vec![text(".late", "changed")]);
        root.set_inner_html(r#"<p class="late">first</p>"#);
        pause(20).await;
        assert_eq!(root.text_content().unwrap(), "changed");
        root.set_inner_html(r#"<p class="late">again</p>"#);
        pause(20).await;
        assert_eq!(root.text_content().unwrap(), "changed");
        root.first_element_child().unwrap().set_text_content(Some("by the page"));
        pause(20).await;
        assert_eq!(root.text_content().unwrap(), "changed");
        page.clear();
        assert_eq!(root.text_content().unwrap(), "by the page");
        assert_eq!(*problems.borrow(), []);
        root.remove();
    }

    #[wasm_bindgen_test]
    async fn a_page_that_keeps_undoing_a_change_wins_after_ten_times_and_is_reported() {
        let (page, root, problems) = open(r#"<p id="l1">mine</p>"#);
        page.set("slot", vec![text("#l1", "ours")]);
        let paragraph = root.first_element_child().unwrap();
        for _ in 0..15 {
            paragraph.set_text_content(Some("mine"));
            pause(1).await;
        }
        assert_eq!(paragraph.text_content().unwrap(), "mine");
        assert_eq!(*problems.borrow(), [DomProblem::Loop("#l1".into())]);
        page.clear();
        root.remove();
    }

    #[wasm_bindgen_test]
    fn what_the_browser_refuses_is_reported_once_and_the_rest_goes_on() {
        let (page, root, problems) = open(r#"<p id="r1">one</p>"#);
        let bad = change("#r1", ChangeKind::Attribute("a b".into(), "x".into()));
        page.set("slot", vec![text("p[", "x"), bad, text("#r1", "two")]);
        page.set("other", vec![text("#r1", "two")]);
        assert_eq!(root.text_content().unwrap(), "two");
        let expected = [DomProblem::Refused("p[".into()), DomProblem::Refused("#r1".into())];
        assert_eq!(*problems.borrow(), expected);
        page.clear();
        root.remove();
    }
}
