/** Scene 1: the third view of a category changes the banner at once, and it stays. */
import { findCategory } from '../catalogue';
import { showHero } from '../shop/hero';
import { because, type Scene } from './scene';

export const thirdView: Scene = {
  id: 'third-view',
  title: 'The third look',
  explains: 'The third view of a category changes the banner at once, and it stays for the session.',
  tryIt: 'Open a category and two of its lamps: on the third page the banner turns.',
  path: '/lamps/reading',
  rules: 'third-view.json',
  start(stage) {
    // The rule counts page views by category, so its key is the category that was seen three times.
    stage.attune.onDecision('hero', (decision) => {
      const category = findCategory(decision?.key ?? '');
      showHero(category?.id ?? 'street');
      if (category)
        stage.happened(
          thirdView,
          '#hero',
          because(`this was the third view of “${category.name}”`),
          decision,
        );
    });
  },
};
