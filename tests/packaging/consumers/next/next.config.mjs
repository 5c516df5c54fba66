/** Turbopack reads nothing outside its root, and these tests link the packages from elsewhere. */

export default { turbopack: { root: '/' } };
