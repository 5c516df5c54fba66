/** Scene 3: every answered question changes the guidance, and the last one marks the lamps that fit. */
import { applyGuidance, type Guidance } from '../shop/guidance';
import { because, type Scene } from './scene';

export const guidance: Scene = {
  id: 'guidance',
  title: 'Find your light',
  explains: 'Each step of the onboarding changes the guidance; the last marks the lamps that suit you.',
  tryIt: 'Answer the three questions and watch the card above them, then look at any shelf.',
  path: '/fit',
  rules: 'guidance.json',
  start(stage) {
    // The rule hands over a value; the shop decides what to do with it.
    stage.attune.onDecision('guidance', (decision) => {
      applyGuidance(stage.attune);
      const { step } = stage.attune.variable<Partial<Guidance>>('guidance', {});
      const reason = step === 3 ? 'the onboarding is finished' : `question ${step ?? 0} of 3 is answered`;
      if (decision) stage.happened(guidance, '[data-guidance]', because(reason), decision);
    });
  },
};
