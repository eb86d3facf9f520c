#define G_LOG_DOMAIN "facet"

#include "facet-markdown-inline.h"

#include <string.h>

typedef struct {
  GString   *markup;
  guint      characters; /* visible ones in markup */
  guint      piece;
  GPtrArray *pieces;
  GPtrArray *open;       /* opening tags, outermost first */
  GPtrArray *close;      /* matching closing tags */
} Inlines;

static void
open_tag (Inlines *self, char *opening, const char *closing)
{
  g_string_append (self->markup, opening);
  g_ptr_array_add (self->open, opening);
  g_ptr_array_add (self->close, (gpointer) closing);
}

static void
close_tag (Inlines *self)
{
  g_string_append (self->markup, g_ptr_array_index (self->close, self->close->len - 1));
  g_ptr_array_set_size (self->open, self->open->len - 1);
  g_ptr_array_set_size (self->close, self->close->len - 1);
}

static void
end_piece (Inlines *self)
{
  for (guint i = self->close->len; i > 0; i--)
    g_string_append (self->markup, self->close->pdata[i - 1]);
  g_ptr_array_add (self->pieces, g_string_free (self->markup, FALSE));
  self->markup = g_string_new (NULL);
  self->characters = 0;
}

static void
cut_piece (Inlines *self)
{
  end_piece (self);
  for (guint i = 0; i < self->open->len; i++)
    g_string_append (self->markup, self->open->pdata[i]);
}

/* Where to cut in @text: after a blank once the piece is full; a text without
 * blanks (Chinese, Japanese) is cut wherever twice the size is reached. */
static const char *
find_cut (Inlines *self, const char *text)
{
  for (const char *at = text; *at != '\0'; at = g_utf8_next_char (at)) {
    self->characters++;
    if (self->characters >= self->piece && (*at == ' ' || self->characters >= 2 * (guint64) self->piece))
      return g_utf8_next_char (at);
  }
  return NULL;
}

static void
add_text (Inlines *self, const char *text)
{
  const char *cut;

  if (text == NULL)
    return;
  while ((cut = find_cut (self, text)) != NULL) {
    g_autofree char *escaped = g_markup_escape_text (text, cut - text);

    g_string_append (self->markup, escaped);
    cut_piece (self);
    text = cut;
  }
  {
    g_autofree char *escaped = g_markup_escape_text (text, -1);

    g_string_append (self->markup, escaped);
  }
}

/* A picture inside a link would nest them, which a label cannot show. */
static void
open_link (Inlines *self, cmark_node *node)
{
  static const char closing[] = "</a>";
  const char *url = cmark_node_get_url (node);
  g_autofree char *escaped = g_markup_escape_text (url != NULL ? url : "", -1);

  if (g_ptr_array_find (self->close, closing, NULL) || *escaped == '\0')
    open_tag (self, g_strdup ("<span>"), "</span>");
  else
    open_tag (self, g_strdup_printf ("<a href=\"%s\">", escaped), closing);
  if (cmark_node_first_child (node) == NULL)
    add_text (self, url);
}

static const char code_tag[] = "<span font_family=\"monospace\" background=\"#808080\" background_alpha=\"18%\">";

static void
enter_node (Inlines *self, cmark_node *node)
{
  cmark_node_type type = cmark_node_get_type (node);

  if (type == CMARK_NODE_TEXT || type == CMARK_NODE_HTML_INLINE) {
    add_text (self, cmark_node_get_literal (node));
  } else if (type == CMARK_NODE_SOFTBREAK) {
    add_text (self, " ");
  } else if (type == CMARK_NODE_LINEBREAK) {
    g_string_append_c (self->markup, '\n');
  } else if (type == CMARK_NODE_CODE) {
    open_tag (self, g_strdup (code_tag), "</span>");
    add_text (self, cmark_node_get_literal (node));
    close_tag (self);
  } else if (type == CMARK_NODE_EMPH) {
    open_tag (self, g_strdup ("<i>"), "</i>");
  } else if (type == CMARK_NODE_STRONG) {
    open_tag (self, g_strdup ("<b>"), "</b>");
  } else if (type == CMARK_NODE_LINK || type == CMARK_NODE_IMAGE) {
    open_link (self, node);
  } else if (strcmp (cmark_node_get_type_string (node), "strikethrough") == 0) {
    open_tag (self, g_strdup ("<s>"), "</s>");
  }
}

static gboolean
is_container (cmark_node *node)
{
  cmark_node_type type = cmark_node_get_type (node);

  return type == CMARK_NODE_EMPH || type == CMARK_NODE_STRONG || type == CMARK_NODE_LINK ||
         type == CMARK_NODE_IMAGE || strcmp (cmark_node_get_type_string (node), "strikethrough") == 0;
}

GPtrArray *
facet_markdown_inlines (cmark_node *parent, guint piece)
{
  Inlines self = {
    .markup = g_string_new (NULL),
    .piece = piece,
    .pieces = g_ptr_array_new_with_free_func (g_free),
    .open = g_ptr_array_new_with_free_func (g_free),
    .close = g_ptr_array_new (),
  };
  cmark_iter *iter = cmark_iter_new (parent);
  cmark_event_type event;

  while ((event = cmark_iter_next (iter)) != CMARK_EVENT_DONE) {
    cmark_node *node = cmark_iter_get_node (iter);

    if (node == parent)
      continue;
    if (event == CMARK_EVENT_ENTER)
      enter_node (&self, node);
    else if (is_container (node))
      close_tag (&self);
  }
  cmark_iter_free (iter);

  if (self.markup->len > 0 || self.pieces->len == 0)
    end_piece (&self);
  g_string_free (self.markup, TRUE);
  g_ptr_array_unref (self.open);
  g_ptr_array_unref (self.close);
  return self.pieces;
}
