/** A page of the extension. */

import { viewLamps } from './lamps.js';

viewLamps('panel');
