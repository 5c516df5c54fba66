/** Runs webpack with the project's configuration, as its command does. */

import webpack from 'webpack';
import config from './webpack.config.js';

webpack(config, (failure, stats) => {
  if (!failure && !stats.hasErrors() && !stats.hasWarnings()) return;
  console.error(failure ?? stats.toString());
  process.exitCode = 1;
});
