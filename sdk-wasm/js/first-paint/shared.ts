/**
 * What the loader has and the script needs as well: behind the loader, a script without these modules is loaded, which
 * takes them from here. The build reads this list, so it has whole modules only.
 */

import { openStorage } from '../browser/storage.ts';
import { readWishes } from '../browser/wishes.ts';
import { openCampaign } from '../campaign.ts';
import { captureState, defaultConsent, grantedBits, NOTHING_SAID, PURPOSES, saidIn } from '../consent.ts';
import { deviceContext, pageContext, timeZone, watchDevice } from '../context.ts';
import { variableIn } from '../decision.ts';
import { openPage } from '../dom/page.ts';
import { changesOf, decisionOf } from '../driver/decisions.ts';
import { fieldsOf, isObject, jsonText, parseJson } from '../json.ts';
import { previewToken } from '../preview-token.ts';
import { isLive, sessionAt, stateOf } from '../session-state.ts';
import { closeSlips } from '../slip.ts';

/** In the order of the list above, without names: those would weigh more than what they name. */
export const shared = [
  openStorage,
  readWishes,
  openCampaign,
  captureState,
  defaultConsent,
  grantedBits,
  NOTHING_SAID,
  PURPOSES,
  saidIn,
  deviceContext,
  pageContext,
  timeZone,
  watchDevice,
  variableIn,
  openPage,
  changesOf,
  decisionOf,
  fieldsOf,
  isObject,
  jsonText,
  parseJson,
  previewToken,
  isLive,
  sessionAt,
  stateOf,
  closeSlips,
] as const;
