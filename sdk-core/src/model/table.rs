//! The models of a bundle, read in place and found by id.

use super::Model;
use super::codec::{decode_model, encode_model};
use super::evaluate::score;
use crate::codec::CodecError;
use crate::condition::{Code, Document, Form, Outlook, Packer, Reading, pack_like};
use crate::id::ModelId;
use crate::limits::MAX_MODEL_BYTES;
use alloc::vec::Vec;

/// The models of a bundle, in order of id and then of name. Several names may share one definition.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ModelTable {
    form: Form,
}

/// A model of a bundle, read in place.
#[derive(Clone, Copy, Debug)]
pub struct ModelRef<'a> {
    /// Hash of the canonical definition.
    pub id: ModelId,
    /// The name that conditions use.
    pub name: &'a str,
    definition: Code<'a>,
}

impl ModelTable {
    /// Writes the packed form.
    pub fn pack(models: &[Model]) -> Vec<u8> {
        Self::pack_in(Packer::new(), models)
    }

    /// Writes the packed form with the numbers that an earlier one has.
    pub fn pack_like(before: &Self, models: &[Model]) -> Vec<u8> {
        pack_like(&before.form, &|packer| Self::pack_in(packer, models))
    }

    fn pack_in(mut packer: Packer, models: &[Model]) -> Vec<u8> {
        let mut models: Vec<&Model> = models.iter().collect();
        models.sort_by_key(|model| (model.id, &model.name));
        packer.list(&models, |model, packer| encode_model(model, packer));
        packer.finish()
    }

    /// Takes a packed form in, once it is checked to its end.
    ///
    /// # Errors
    /// Fails on bytes that are none.
    pub fn open(bytes: &[u8]) -> Result<Self, CodecError> {
        Self::read(Form::open(bytes)?)
    }

    /// Takes a packed form in that follows the one before; where it is the same, nothing is checked again.
    ///
    /// # Errors
    /// Those of [`Self::open`].
    pub fn open_after(bytes: &[u8], before: &Self) -> Result<Self, CodecError> {
        let form = Form::open(bytes)?;
        if form == before.form { Ok(before.clone()) } else { Self::read(form) }
    }

    /// Whether the packed forms are the same.
    pub fn is_like(&self, other: &Self) -> bool {
        self.form == other.form
    }

    fn read(form: Form) -> Result<Self, CodecError> {
        let table = Self { form };
        let mut code = table.form.at(0);
        let mut count = code.count();
        while count > 0 {
            let mut model = ModelRef::read(&mut code);
            let is_small = model.definition.len() <= MAX_MODEL_BYTES;
            score(&mut model.definition, None, &mut Outlook::default());
            let is_small = is_small && model.definition.named() <= MAX_MODEL_BYTES;
            code.join(&model.definition);
            if !is_small || !model.definition.is_whole() {
                return Err(CodecError);
            }
            count -= 1;
        }
        if code.is_whole() { Ok(table) } else { Err(CodecError) }
    }

    /// How many models there are.
    pub fn len(&self) -> usize {
        self.form.at(0).count()
    }

    /// Whether there is no model.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// All models.
    pub fn iter(&self) -> impl Iterator<Item = ModelRef<'_>> {
        let mut code = self.form.at(0);
        (0..code.count()).map(move |_| ModelRef::read(&mut code))
    }

    /// The model of an id.
    pub fn by_id(&self, id: ModelId) -> Option<ModelRef<'_>> {
        self.iter().find(|model| model.id == id)
    }
}

impl<'a> ModelRef<'a> {
    fn read(code: &mut Code<'a>) -> Self {
        Self { id: code.model(), name: code.text(), definition: code.sized() }
    }

    /// The score that the model gives. Its plan's conditions see no scores: what a document with models hands in here
    /// has to be itself without them, or a hostile bundle would have scores ask each other without end.
    pub fn score(mut self, document: &dyn Document, outlook: &mut Outlook) -> Reading<'static> {
        score(&mut self.definition, Some(document), outlook)
    }

    /// The definition, for tools.
    pub fn to_model(mut self) -> Model {
        decode_model(self.id, self.name, &mut self.definition)
    }
}
