//! How long the lists of event types become: of each type the rules that are judged at it, those for every type included.

use crate::condition::ANY;
use crate::limits::MAX_TYPE_ENTRIES;
use crate::rules::{Mode, Rule};
use alloc::boxed::Box;
use alloc::collections::BTreeSet;

/// What the rules taken so far make of the lists.
#[derive(Default)]
pub(super) struct TypeLists {
    /// The types that rules name.
    types: BTreeSet<Box<str>>,
    /// Rules for one type.
    named: usize,
    /// Rules for every type.
    any: usize,
}

impl TypeLists {
    /// Takes a rule in, unless the lists would have more than [`MAX_TYPE_ENTRIES`] entries.
    pub fn take(&mut self, rule: &Rule) -> bool {
        let (None, Mode::Event { on, .. }) = (&rule.inactive, &rule.mode) else { return true };
        let is_any = **on == *ANY;
        let types = self.types.len() + usize::from(!is_any && !self.types.contains(on));
        let (named, any) = (self.named + usize::from(!is_any), self.any + usize::from(is_any));
        let fits = named + any * (types + 1) <= MAX_TYPE_ENTRIES;
        if fits {
            (self.named, self.any) = (named, any);
            if !is_any {
                self.types.insert(on.clone());
            }
        }
        fits
    }
}

#[cfg(test)]
mod tests {
    use super::super::{SourceFile, compile};
    use crate::limits::MAX_TYPE_ENTRIES;
    use alloc::format;
    use alloc::string::String;
    use alloc::vec::Vec;

    #[test]
    fn rules_for_every_type_do_not_multiply_with_types_beyond_the_bound() {
        let (types, any) = (1_999, MAX_TYPE_ENTRIES / 2_000);
        let trigger =
            |id: String, on: &str| format!(r#"{{"id":"{id}","on":"{on}","when":{{}},"actions":[]}}"#);
        let named = (0..types).map(|number| trigger(format!("a{number:04}"), &format!("t{number}")));
        let every = (0..any).map(|number| trigger(format!("b{number:04}"), "*"));
        let triggers: Vec<String> = named.chain(every).collect();
        let text = format!(r#"{{"triggers":[{}]}}"#, triggers.join(","));
        let found = compile(&[SourceFile { name: "a.json".into(), text }]);
        // The named ones stand in the lists as well, so one of the others is too many.
        let refused = found.diagnostics.iter().filter(|one| one.code == "event_lists_too_large").count();
        assert_eq!(refused, 1, "{:?}", found.diagnostics.first());
        assert_eq!(found.bundle.rules.len(), types + any - refused);
        let message = &found.diagnostics[0].message;
        assert!(message.contains("1000000"), "{message}");
        let mut judged = 0;
        found.bundle.rules.each_for_type("t7", &mut |_| judged += 1);
        assert_eq!(judged, 1 + any - refused);
    }
}
