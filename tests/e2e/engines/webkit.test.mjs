/** The SDK's promises in WebKit. */

import { runCases } from './cases/all.mjs';
import { webkit } from './rig/webkit.mjs';

runCases(webkit);
