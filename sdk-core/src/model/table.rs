//! The models of a bundle, read in place and found by id.

use super::Model;
use super::codec::{decode_model, encode_model};
use super::evaluate::score;
use crate::codec::CodecError;
use crate::condition::{Code, Document, Form, Outlook, Packer, Reading};
use crate::id::ModelId;
use alloc::vec::Vec;

/// The models of a bundle. Several names may share one definition.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ModelTable {
    form: Form,
    /// Where each model stands, in order of id.
    models: Vec<u32>,
}

/// A model of a bundle, read in place.
#[derive(Clone, Copy, Debug)]
pub struct ModelRef<'a> {
    code: Code<'a>,
}

impl ModelTable {
    /// Writes the packed form.
    pub fn pack(models: &[Model]) -> Vec<u8> {
        let mut models: Vec<&Model> = models.iter().collect();
        models.sort_by_key(|model| (model.id, &model.name));
        let mut packer = Packer::new();
        packer.list(&models, |model, packer| encode_model(model, packer));
        packer.finish()
    }

    /// Takes a packed form in, once it is checked to its end.
    ///
    /// # Errors
    /// Fails on bytes that are none.
    pub fn open(bytes: &[u8]) -> Result<Self, CodecError> {
        let mut table = Self { form: Form::open(bytes)?, ..Self::default() };
        let mut code = table.form.at(0);
        for _ in 0..code.count() {
            table.models.push(code.place());
            code.model();
            code.text();
            score(&mut code, None, &mut Outlook::default());
        }
        if code.is_whole() { Ok(table) } else { Err(CodecError) }
    }

    /// How many models there are.
    pub fn len(&self) -> usize {
        self.models.len()
    }

    /// Whether there is no model.
    pub fn is_empty(&self) -> bool {
        self.models.is_empty()
    }

    /// All models, in order of id.
    pub fn iter(&self) -> impl Iterator<Item = ModelRef<'_>> {
        self.models.iter().map(|place| ModelRef { code: self.form.at(*place) })
    }

    /// The model of an id.
    pub fn by_id(&self, id: ModelId) -> Option<ModelRef<'_>> {
        self.iter().find(|model| model.id() == id)
    }
}

impl<'a> ModelRef<'a> {
    /// Hash of the canonical definition.
    pub fn id(self) -> ModelId {
        { self.code }.model()
    }

    /// The name that conditions use.
    pub fn name(self) -> &'a str {
        let mut code = self.code;
        code.model();
        code.text()
    }

    /// The score that the model gives. Its plan's conditions see no scores: what a document with models hands in here
    /// has to be itself without them, or a hostile bundle would have scores ask each other without end.
    pub fn score(self, document: &dyn Document, outlook: &mut Outlook) -> Reading<'static> {
        let mut code = self.code;
        code.model();
        code.text();
        score(&mut code, Some(document), outlook)
    }

    /// The definition, for tools.
    pub fn to_model(self) -> Model {
        decode_model(&mut { self.code })
    }
}
