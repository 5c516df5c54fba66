/** The SDK's promises in Chromium. */

import { runCases } from './cases/all.mjs';
import { chromium } from './rig/chromium.mjs';

runCases(chromium);
