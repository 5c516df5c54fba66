/** What is about Attune: webpack would warn of a file that only previews load. It finds its files by itself. */

export default {
  mode: 'production',
  entry: './src/main.js',
  output: { publicPath: '/dist/' },
  performance: { maxAssetSize: 2_200_000 },
};
