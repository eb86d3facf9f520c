#define G_LOG_DOMAIN "facet"

#include "config.h"

#include <glib/gi18n-lib.h>
#include <string.h>

#include "facet-chat-view.h"

#include "facet-message-row.h"

/* Rows that are made at once at most: so many, of so much text. */
#define PAGE 40
#define PAGE_TEXT 20000
#define NEAR_END 24.0

struct _FacetChatView {
  AdwBin parent_instance;

  GtkWidget         *scroller;
  GtkWidget         *list;
  GtkWidget         *jump;   /* GtkRevealer of the button to the end */
  FacetConversation *conversation;
  GListStore        *pages;  /* of GtkSliceListModel: the last messages, in pieces that stay as they are */
  guint              begin;  /* the first message of the first page */
  gboolean           follow;
  double             upper;  /* as of the last change of size */
  double             page;
  guint              place_source; /* see place_soon() */
  double             below;  /* how far the end was when rows were added above; 0: they were not */
  gboolean           placed; /* so far from the end again */
};

G_DEFINE_FINAL_TYPE (FacetChatView, facet_chat_view, ADW_TYPE_BIN)

static GtkAdjustment *
adjustment (FacetChatView *self)
{
  return gtk_scrolled_window_get_vadjustment (GTK_SCROLLED_WINDOW (self->scroller));
}

/* What is seen is to stay in its place while something is added above it. */
static void
hold_place (FacetChatView *self)
{
  GtkAdjustment *vertical = adjustment (self);

  self->below = gtk_adjustment_get_upper (vertical) - gtk_adjustment_get_value (vertical);
  self->placed = FALSE;
}

static GtkWidget *
create_row_cb (gpointer item, gpointer data)
{
  FacetChatView *self = data;
  GtkWidget *row = facet_message_row_new (item, facet_conversation_get_store (self->conversation));

  g_signal_connect_object (row, "growing", G_CALLBACK (hold_place), self, G_CONNECT_SWAPPED);
  return row;
}

gboolean
facet_chat_view_is_at_end (FacetChatView *self)
{
  GtkAdjustment *vertical = adjustment (self);

  return gtk_adjustment_get_value (vertical) + gtk_adjustment_get_page_size (vertical) >=
         gtk_adjustment_get_upper (vertical) - NEAR_END;
}

static void
update_jump (FacetChatView *self)
{
  gboolean away = !self->follow && !facet_chat_view_is_at_end (self);

  gtk_revealer_set_reveal_child (GTK_REVEALER (self->jump), away);
  gtk_widget_set_can_target (self->jump, away);
}

/* Where a page begins that ends before the message at @end. A branch may have
 * fewer. */
static guint
begin_of_page (FacetChatView *self, guint end)
{
  guint begin = end = MIN (end, facet_conversation_get_length (self->conversation));
  gsize text = 0;

  while (begin > 0 && end - begin < PAGE && text < PAGE_TEXT)
    text += strlen (facet_message_get_text (facet_conversation_get_message (self->conversation, --begin)));
  return begin;
}

static void
add_page (FacetChatView *self, guint begin, guint size)
{
  g_autoptr (GtkSliceListModel) page = gtk_slice_list_model_new (g_object_ref (G_LIST_MODEL (self->conversation)), begin, size);

  g_list_store_insert (self->pages, 0, page);
  self->begin = begin;
}

static void
add_above (FacetChatView *self)
{
  guint begin = self->pages != NULL ? begin_of_page (self, self->begin) : 0;

  if (self->pages == NULL || self->begin == 0)
    return;
  hold_place (self);
  add_page (self, begin, self->begin - begin);
}

static gboolean
place_cb (gpointer data)
{
  FacetChatView *self = data;
  GtkAdjustment *vertical = adjustment (self);

  self->place_source = 0;
  if (self->follow || self->below > 0)
    gtk_widget_queue_allocate (gtk_scrolled_window_get_child (GTK_SCROLLED_WINDOW (self->scroller)));
  if (self->placed)
    self->below = 0;
  /* what leaves room cannot be scrolled, which is how more is asked for */
  if (gtk_adjustment_get_page_size (vertical) > 0 && gtk_adjustment_get_upper (vertical) <= gtk_adjustment_get_page_size (vertical))
    add_above (self);
  update_jump (self);
  return G_SOURCE_REMOVE;
}

/* Sizes and values change while the viewport lays itself out, which then
 * misses the value that it is given, and must not be asked for another layout:
 * both wait until it is done, but not for the next frame. */
static void
place_soon (FacetChatView *self)
{
  if (self->place_source == 0)
    self->place_source = g_idle_add_full (GTK_PRIORITY_RESIZE, place_cb, self, NULL);
}

/* The content has grown: keep to the end only if that was shown. */
static void
size_changed_cb (FacetChatView *self)
{
  GtkAdjustment *vertical = adjustment (self);

  self->upper = gtk_adjustment_get_upper (vertical);
  self->page = gtk_adjustment_get_page_size (vertical);
  if (self->follow)
    gtk_adjustment_set_value (vertical,
                              gtk_adjustment_get_upper (vertical) - gtk_adjustment_get_page_size (vertical));
  else if (self->below > 0)
    gtk_adjustment_set_value (vertical, gtk_adjustment_get_upper (vertical) - self->below);
  self->placed = TRUE;
  place_soon (self);
}

/* Only the person's own scrolling decides; a value that moves because the size
 * does (window made narrower) says nothing. */
static void
value_changed_cb (FacetChatView *self)
{
  GtkAdjustment *vertical = adjustment (self);

  if (gtk_adjustment_get_upper (vertical) == self->upper && gtk_adjustment_get_page_size (vertical) == self->page)
    self->follow = facet_chat_view_is_at_end (self);
  place_soon (self);
}

static void
edge_reached_cb (GtkScrolledWindow *scroller, GtkPositionType edge, FacetChatView *self)
{
  if (edge == GTK_POS_TOP)
    add_above (self);
}

void
facet_chat_view_scroll_to_end (FacetChatView *self)
{
  self->follow = TRUE;
  size_changed_cb (self);
}

void
facet_chat_view_focus_message (FacetChatView *self, FacetMessage *message)
{
  int index = facet_conversation_find (self->conversation, message) - (int) self->begin;
  GtkListBoxRow *row = index >= 0 ? gtk_list_box_get_row_at_index (GTK_LIST_BOX (self->list), index) : NULL;

  if (row != NULL)
    gtk_widget_grab_focus (GTK_WIDGET (row));
}

void
facet_chat_view_jump_to_end (FacetChatView *self)
{
  GtkWidget *last = gtk_widget_get_last_child (self->list);

  if (last != NULL)
    gtk_widget_grab_focus (last);
  facet_chat_view_scroll_to_end (self);
}

void
facet_chat_view_set_conversation (FacetChatView *self, FacetConversation *conversation)
{
  g_autoptr (GtkFlattenListModel) rows = NULL;

  if (!g_set_object (&self->conversation, conversation))
    return;
  gtk_list_box_bind_model (GTK_LIST_BOX (self->list), NULL, NULL, NULL, NULL);
  g_clear_object (&self->pages);
  if (conversation == NULL)
    return;

  self->pages = g_list_store_new (GTK_TYPE_SLICE_LIST_MODEL);
  add_page (self, begin_of_page (self, facet_conversation_get_length (conversation)), G_MAXUINT / 2);
  self->follow = TRUE;
  rows = gtk_flatten_list_model_new (g_object_ref (G_LIST_MODEL (self->pages)));
  gtk_list_box_bind_model (GTK_LIST_BOX (self->list), G_LIST_MODEL (rows), create_row_cb, self, NULL);
}

GtkWidget *
facet_chat_view_new (void)
{
  return g_object_new (FACET_TYPE_CHAT_VIEW, NULL);
}

static void
facet_chat_view_dispose (GObject *object)
{
  FacetChatView *self = FACET_CHAT_VIEW (object);

  g_clear_handle_id (&self->place_source, g_source_remove);
  if (self->list != NULL)
    gtk_list_box_bind_model (GTK_LIST_BOX (self->list), NULL, NULL, NULL, NULL);
  self->list = NULL;
  g_clear_object (&self->pages);
  g_clear_object (&self->conversation);
  G_OBJECT_CLASS (facet_chat_view_parent_class)->dispose (object);
}

static void
facet_chat_view_class_init (FacetChatViewClass *klass)
{
  G_OBJECT_CLASS (klass)->dispose = facet_chat_view_dispose;
}

static void
build_jump (FacetChatView *self)
{
  GtkWidget *button = gtk_button_new_from_icon_name ("go-bottom-symbolic");

  gtk_widget_add_css_class (button, "osd");
  gtk_widget_add_css_class (button, "circular");
  gtk_widget_set_tooltip_text (button, _("Jump to the End"));
  gtk_accessible_update_property (GTK_ACCESSIBLE (button), GTK_ACCESSIBLE_PROPERTY_LABEL, _("Jump to the End"), -1);
  g_signal_connect_swapped (button, "clicked", G_CALLBACK (facet_chat_view_jump_to_end), self);
  self->jump = gtk_revealer_new ();
  gtk_revealer_set_transition_type (GTK_REVEALER (self->jump), GTK_REVEALER_TRANSITION_TYPE_CROSSFADE);
  gtk_revealer_set_child (GTK_REVEALER (self->jump), button);
  gtk_widget_set_halign (self->jump, GTK_ALIGN_END);
  gtk_widget_set_valign (self->jump, GTK_ALIGN_END);
  gtk_widget_set_margin_end (self->jump, 18);
  gtk_widget_set_margin_bottom (self->jump, 12);
  gtk_widget_set_can_target (self->jump, FALSE);
}

static void
facet_chat_view_init (FacetChatView *self)
{
  GtkWidget *clamp = adw_clamp_new ();
  GtkWidget *overlay = gtk_overlay_new ();
  GtkAdjustment *vertical;

  self->follow = TRUE;
  self->list = g_object_new (GTK_TYPE_LIST_BOX, "accessible-role", GTK_ACCESSIBLE_ROLE_LOG, "selection-mode",
                             GTK_SELECTION_NONE, NULL);
  gtk_widget_add_css_class (self->list, "messages");
  gtk_accessible_update_property (GTK_ACCESSIBLE (self->list), GTK_ACCESSIBLE_PROPERTY_LABEL, _("Conversation"), -1);
  adw_clamp_set_maximum_size (ADW_CLAMP (clamp), 760);
  adw_clamp_set_child (ADW_CLAMP (clamp), self->list);
  self->scroller = gtk_scrolled_window_new ();
  gtk_scrolled_window_set_policy (GTK_SCROLLED_WINDOW (self->scroller), GTK_POLICY_NEVER, GTK_POLICY_AUTOMATIC);
  gtk_scrolled_window_set_child (GTK_SCROLLED_WINDOW (self->scroller), clamp);
  gtk_widget_set_vexpand (self->scroller, TRUE);
  build_jump (self);
  gtk_overlay_set_child (GTK_OVERLAY (overlay), self->scroller);
  gtk_overlay_add_overlay (GTK_OVERLAY (overlay), self->jump);
  adw_bin_set_child (ADW_BIN (self), overlay);
  g_signal_connect (self->scroller, "edge-reached", G_CALLBACK (edge_reached_cb), self);
  vertical = adjustment (self);
  g_signal_connect_object (vertical, "changed", G_CALLBACK (size_changed_cb), self, G_CONNECT_SWAPPED);
  g_signal_connect_object (vertical, "value-changed", G_CALLBACK (value_changed_cb), self, G_CONNECT_SWAPPED);
}
