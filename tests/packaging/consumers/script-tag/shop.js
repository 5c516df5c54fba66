/** The shop's own script, a file like the other: it waits for nothing but the click. */

document.querySelector('#view').addEventListener('click', () => {
  window.attune.track('product_view', { category: 'lamps' });
});
