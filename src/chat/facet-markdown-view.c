#define G_LOG_DOMAIN "facet"

#include "facet-markdown-view.h"

#include <string.h>

#include "facet-block-widgets.h"
#include "facet-markdown.h"

struct _FacetMarkdownView {
  GtkBox parent_instance;

  GPtrArray *blocks;    /* (element-type FacetBlock): what is shown */
  GPtrArray *widgets;   /* borrowed children, one per block */
  GString   *settled;   /* text that is not parsed again */
  guint      n_settled; /* its blocks */
};

G_DEFINE_FINAL_TYPE (FacetMarkdownView, facet_markdown_view, GTK_TYPE_BOX)

static void
facet_markdown_view_finalize (GObject *object)
{
  FacetMarkdownView *self = FACET_MARKDOWN_VIEW (object);

  g_ptr_array_unref (self->blocks);
  g_ptr_array_unref (self->widgets);
  g_string_free (self->settled, TRUE);
  G_OBJECT_CLASS (facet_markdown_view_parent_class)->finalize (object);
}

static void
facet_markdown_view_class_init (FacetMarkdownViewClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = facet_markdown_view_finalize;
}

static void
facet_markdown_view_init (FacetMarkdownView *self)
{
  self->blocks = g_ptr_array_new_with_free_func ((GDestroyNotify) facet_block_free);
  self->widgets = g_ptr_array_new ();
  self->settled = g_string_new (NULL);
  gtk_orientable_set_orientation (GTK_ORIENTABLE (self), GTK_ORIENTATION_VERTICAL);
  gtk_widget_add_css_class (GTK_WIDGET (self), "markdown");
}

GtkWidget *
facet_markdown_view_new (void)
{
  return g_object_new (FACET_TYPE_MARKDOWN_VIEW, NULL);
}

/* Takes @block. */
static void
show_block (FacetMarkdownView *self, guint index, FacetBlock *block)
{
  GtkWidget *previous = index > 0 ? self->widgets->pdata[index - 1] : NULL;
  GtkWidget *widget;

  if (index < self->blocks->len) {
    FacetBlock *shown = self->blocks->pdata[index];
    gboolean same = facet_block_equal (shown, block);

    widget = self->widgets->pdata[index];
    if (same || facet_block_widget_update (widget, shown, block)) {
      facet_block_free (shown);
      self->blocks->pdata[index] = block;
      return;
    }
    gtk_box_remove (GTK_BOX (self), widget);
    facet_block_free (shown);
    self->blocks->pdata[index] = block;
    widget = facet_block_widget_new (block);
    self->widgets->pdata[index] = widget;
  } else {
    widget = facet_block_widget_new (block);
    g_ptr_array_add (self->blocks, block);
    g_ptr_array_add (self->widgets, widget);
  }
  gtk_box_insert_child_after (GTK_BOX (self), widget, previous);
  if (index == 0)
    gtk_widget_set_margin_top (widget, 0);
}

static void
drop_from (FacetMarkdownView *self, guint index)
{
  for (guint i = index; i < self->widgets->len; i++)
    gtk_box_remove (GTK_BOX (self), self->widgets->pdata[i]);
  if (index < self->widgets->len) {
    g_ptr_array_set_size (self->widgets, index);
    g_ptr_array_set_size (self->blocks, index);
  }
}

/* An empty box has told GTK that its height does not depend on its width, and
 * GTK keeps that until a resize is asked for after a measurement. */
static void
forget_emptiness (FacetMarkdownView *self)
{
  gtk_widget_measure (GTK_WIDGET (self), GTK_ORIENTATION_HORIZONTAL, -1, NULL, NULL, NULL, NULL);
  gtk_widget_queue_resize (GTK_WIDGET (self));
}

void
facet_markdown_view_set_text (FacetMarkdownView *self, const char *text, gboolean whole)
{
  g_autoptr (GPtrArray) blocks = NULL;
  gsize length = strlen (text);
  gboolean empty = self->blocks->len == 0;
  gsize settled;
  guint n_settled;
  guint first;

  g_return_if_fail (FACET_IS_MARKDOWN_VIEW (self));

  if (whole || length < self->settled->len || memcmp (text, self->settled->str, self->settled->len) != 0) {
    g_string_truncate (self->settled, 0);
    self->n_settled = 0;
  }

  first = self->n_settled;
  blocks = facet_markdown_parse (text + self->settled->len, length - self->settled->len, &settled, &n_settled);
  g_ptr_array_set_free_func (blocks, NULL);
  for (guint i = 0; i < blocks->len; i++)
    show_block (self, first + i, blocks->pdata[i]);
  drop_from (self, first + blocks->len);
  if (empty)
    forget_emptiness (self);

  g_string_append_len (self->settled, text + self->settled->len, settled);
  self->n_settled += n_settled;
}
