/** The SDK's promises in Firefox. */

import { runCases } from './cases/all.mjs';
import { firefox } from './rig/firefox.mjs';

runCases(firefox);
