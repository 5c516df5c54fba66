/** Nothing that is about Attune: webpack finds its files by itself. */

export default { mode: 'production', entry: './src/main.js', output: { publicPath: '/dist/' } };
