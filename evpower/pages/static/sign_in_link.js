// A person who opens the link is signed in without a second press; a preview of a chat runs no script.
document.getElementById("link").submit();
