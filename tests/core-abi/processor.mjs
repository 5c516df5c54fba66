/** The two steps of `core.wasm` over states that this host owns: open, absorb, combine, save, close. */

/** A bundle in effect, in one instance of the core. */
export class Processor {
  constructor(core, bundle, at = 0) {
    this.core = core;
    this.handle = core.opened(core.exports.processor_new(core.put(bundle), at));
  }

  /** Opens a member's state. */
  member(name, saved = new Uint8Array()) {
    const { core } = this;
    return new State(core, core.opened(core.exports.member_open(core.put(name), core.put(saved))));
  }

  /** Opens a profile's state. */
  profile(saved = new Uint8Array()) {
    const { core } = this;
    return new State(core, core.opened(core.exports.profile_open(core.put(saved))));
  }

  /** Takes records of a member in and gives what the core answers. */
  absorb(member, records) {
    const { core } = this;
    const text = core.put(JSON.stringify(records));
    return core.answer(core.exports.processor_absorb(this.handle, member.handle, text));
  }

  /** Takes changes into a profile and gives what the core answers. */
  combine(profile, changes, left = { handle: 0 }) {
    const { core } = this;
    const texts = core.put(JSON.stringify(changes.map(({ change }) => change)));
    return core.answer(core.exports.processor_combine(this.handle, profile.handle, left.handle, texts));
  }

  /** Lets time pass for a profile. */
  wake(profile, ms) {
    return this.core.answer(this.core.exports.processor_wake(this.handle, profile.handle, ms));
  }

  /** The slots whose decision differs since the last time. */
  decide(profile, context) {
    const text = this.core.put(JSON.stringify(context));
    return this.core.answer(this.core.exports.processor_decide(this.handle, profile.handle, text));
  }

  /** Puts another bundle into effect. */
  publish(bundle, ms) {
    const { core } = this;
    if (core.exports.processor_publish(this.handle, core.put(bundle), ms) < 0) core.opened(-1);
  }

  /** Gives a share of all members the candidate that a statement names. */
  rollOut(statement, candidate, ms) {
    const { core } = this;
    const [named, bundle] = [statement, candidate].map((bytes) => core.put(bytes));
    if (core.exports.processor_rollout(this.handle, named, bundle, ms) < 0) core.opened(-1);
  }

  /** Frees the processor; states stay. */
  free() {
    this.core.exports.processor_free(this.handle);
  }

  /** Reads signals of a profile, each at an instant. */
  read(profile, questions) {
    const text = this.core.put(JSON.stringify(questions));
    return this.core.answer(this.core.exports.processor_read(this.handle, profile.handle, text));
  }

  /** The profile as the core describes it. */
  view(profile) {
    return this.core.answer(this.core.exports.processor_profile(this.handle, profile.handle));
  }
}

/** An open state. */
class State {
  constructor(core, handle) {
    this.core = core;
    this.handle = handle;
  }

  /** The bytes from which it is opened again. */
  save() {
    return this.core.take(this.core.exports.state_save(this.handle));
  }

  /** Closes it and gives what it was saved as. */
  close() {
    const saved = this.save();
    this.core.exports.state_close(this.handle);
    return saved;
  }
}
