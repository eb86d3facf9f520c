#define G_LOG_DOMAIN "facet"

#include "facet-markdown-view.h"

#include <string.h>

#include "facet-block-widgets.h"
#include "facet-markdown.h"

/* Bytes of text that are laid out at once, in about 12 ms. An answer of thousands of words that
 * is opened is laid out from its end on. */
#define BATCH_TEXT 2000

struct _FacetMarkdownView {
  GtkBox parent_instance;

  GPtrArray *blocks;    /* (element-type FacetBlock): what is shown */
  GPtrArray *widgets;   /* borrowed children, one per block; NULL for the first n_missing */
  guint      n_missing; /* blocks whose widgets are still to be made */
  guint      fill_callback;
  GString   *settled;   /* text that is not parsed again */
  guint      n_settled; /* its blocks */
};

G_DEFINE_FINAL_TYPE (FacetMarkdownView, facet_markdown_view, GTK_TYPE_BOX)

static guint growing_signal;

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
  growing_signal = g_signal_new ("growing", FACET_TYPE_MARKDOWN_VIEW, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 0);
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

static gsize
size_of (const FacetBlock *block)
{
  gsize size = block->text != NULL ? strlen (block->text) : 0;

  for (guint i = 0; block->cells != NULL && i < block->cells->len; i++)
    size += strlen (block->cells->pdata[i]);
  return size;
}

/* Where the blocks begin that are laid out together and end before @end. */
static guint
begin_of_batch (GPtrArray *blocks, guint end)
{
  for (gsize size = 0; end > 0 && size < BATCH_TEXT; end--)
    size += size_of (blocks->pdata[end - 1]);
  return end;
}

static void
add_widget (FacetMarkdownView *self, guint index)
{
  GtkWidget *previous = index > 0 ? self->widgets->pdata[index - 1] : NULL;
  GtkWidget *widget = facet_block_widget_new (self->blocks->pdata[index]);

  self->widgets->pdata[index] = widget;
  gtk_box_insert_child_after (GTK_BOX (self), widget, previous);
  if (index == 0)
    gtk_widget_set_margin_top (widget, 0);
}

/* Whether another view has been filled in this frame. */
static gboolean
is_taken (GdkFrameClock *clock)
{
  gpointer frame = GSIZE_TO_POINTER (gdk_frame_clock_get_frame_counter (clock) + 1);
  gboolean taken = g_object_get_data (G_OBJECT (clock), "facet-filled") == frame;

  g_object_set_data (G_OBJECT (clock), "facet-filled", frame);
  return taken;
}

/* Once a frame, which lays it out: one view after the other. */
static gboolean
fill_cb (GtkWidget *widget, GdkFrameClock *clock, gpointer data)
{
  FacetMarkdownView *self = FACET_MARKDOWN_VIEW (widget);
  guint end = self->n_missing;

  if (is_taken (clock))
    return G_SOURCE_CONTINUE;
  g_signal_emit (self, growing_signal, 0);
  self->n_missing = begin_of_batch (self->blocks, end);
  for (guint i = self->n_missing; i < end; i++)
    add_widget (self, i);
  if (self->n_missing > 0)
    return G_SOURCE_CONTINUE;
  self->fill_callback = 0;
  return G_SOURCE_REMOVE;
}

/* Takes @block. */
static void
show_block (FacetMarkdownView *self, guint index, FacetBlock *block)
{
  if (index < self->blocks->len) {
    FacetBlock *shown = self->blocks->pdata[index];
    GtkWidget *widget = self->widgets->pdata[index];
    gboolean stays = widget == NULL || facet_block_equal (shown, block) || facet_block_widget_update (widget, shown, block);

    facet_block_free (shown);
    self->blocks->pdata[index] = block;
    if (stays)
      return;
    gtk_box_remove (GTK_BOX (self), widget);
  } else {
    g_ptr_array_add (self->blocks, block);
    g_ptr_array_add (self->widgets, NULL);
    if (index < self->n_missing)
      return;
  }
  add_widget (self, index);
}

static void
drop_from (FacetMarkdownView *self, guint index)
{
  for (guint i = MAX (index, self->n_missing); i < self->widgets->len; i++)
    gtk_box_remove (GTK_BOX (self), self->widgets->pdata[i]);
  self->n_missing = MIN (self->n_missing, index);
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
  if (empty)
    self->n_missing = begin_of_batch (blocks, blocks->len);
  for (guint i = 0; i < blocks->len; i++)
    show_block (self, first + i, blocks->pdata[i]);
  drop_from (self, first + blocks->len);
  if (empty)
    forget_emptiness (self);
  if (self->n_missing > 0 && self->fill_callback == 0)
    self->fill_callback = gtk_widget_add_tick_callback (GTK_WIDGET (self), fill_cb, NULL, NULL);

  g_string_append_len (self->settled, text + self->settled->len, settled);
  self->n_settled += n_settled;
}
