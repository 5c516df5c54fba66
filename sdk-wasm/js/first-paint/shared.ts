/**
 * What the loader has and the script needs as well: behind the loader, a script without these modules is loaded, which
 * takes them from here. The build reads this list, so it has whole modules only.
 */

import { openStorage } from '../browser/storage.ts';
import { readWishes } from '../browser/wishes.ts';
import { openCampaign } from '../campaign.ts';
import { deviceContext, pageContext, timeZone, watchDevice } from '../context.ts';
import { variableIn } from '../decision.ts';
import { openPage } from '../dom/page.ts';
import { changesOf, decisionOf } from '../driver/decisions.ts';
import { previewToken } from '../preview-token.ts';
import { closeSlips } from '../slip.ts';

/** By name. */
export const shared = {
  openStorage,
  readWishes,
  openCampaign,
  deviceContext,
  pageContext,
  timeZone,
  watchDevice,
  variableIn,
  openPage,
  changesOf,
  decisionOf,
  previewToken,
  closeSlips,
};
