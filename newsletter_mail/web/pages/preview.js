const shown = document.body.dataset.digest;
setInterval(async () => {
  if (document.hidden) return;
  try {
    const answer = await fetch(document.body.dataset.watch);
    if (answer.ok && (await answer.text()) !== shown) location.reload();
  } catch {
    // The preview was stopped; it may come back under the same address.
  }
}, 1000);
