/** Scene 2: a cart that is left alone brings an offer; buying takes it away. */
import { because, type Scene } from './scene';

export const cartOffer: Scene = {
  id: 'cart-offer',
  title: 'The cart left alone',
  explains: 'Twenty seconds after the last lamp went into the cart, an offer appears; it goes when you buy.',
  tryIt: 'Put a lamp into the cart, then keep your hands off for twenty seconds.',
  path: '/lamp/supper',
  rules: 'cart-offer.json',
  start(stage) {
    // The rule writes the notice bar by itself. Here we only point at it: no code is needed for the change.
    stage.attune.onDecision('offer', (decision) => {
      if (decision)
        stage.happened(
          cartOffer,
          '#notice',
          because('the cart has been left alone for 20 seconds'),
          decision,
        );
      else stage.happened(cartOffer, '#notice', because('the cart is settled, so the offer is gone'));
    });
  },
};
