/** The extension in the pages of others: one script, which can load no module and no file of its own. */

import { viewLamps } from './lamps.js';

viewLamps('content');
