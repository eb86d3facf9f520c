#define G_LOG_DOMAIN "facet"

#include "config.h"

#include <glib/gi18n-lib.h>

#include "facet-window-private.h"

#include "chat/facet-text-widgets.h"

#define MAX_HITS 50

FacetChat *
_facet_window_get_chat (FacetWindow *self)
{
  gint64 id = self->conversation != NULL ? facet_conversation_get_chat_id (self->conversation) : 0;

  return id != 0 ? facet_chat_list_find (self->chat_list, id) : NULL;
}

static gint64
row_chat (GtkListBoxRow *row)
{
  return *(gint64 *) g_object_get_data (G_OBJECT (row), "chat");
}

void
_facet_window_select_chat (FacetWindow *self)
{
  gint64 id = facet_conversation_get_chat_id (self->conversation);
  GtkListBoxRow *row;

  for (int i = 0; (row = gtk_list_box_get_row_at_index (self->chats, i)) != NULL; i++) {
    if (row_chat (row) == id) {
      gtk_list_box_select_row (self->chats, row);
      return;
    }
  }
  gtk_list_box_unselect_all (self->chats);
}

static void
activated_cb (GtkListBox *list, GtkListBoxRow *row, FacetWindow *self)
{
  facet_window_open_chat (self, row_chat (row));
}

static GtkWidget *
line (const char *class)
{
  GtkWidget *label = gtk_label_new (NULL);

  gtk_label_set_xalign (GTK_LABEL (label), 0);
  gtk_label_set_ellipsize (GTK_LABEL (label), PANGO_ELLIPSIZE_END);
  if (class != NULL)
    gtk_widget_add_css_class (label, class);
  return label;
}

/* @title: the label in @child that names the row. */
static GtkWidget *
row_for (gint64 chat_id, GtkWidget *child, GtkWidget *title)
{
  GtkWidget *row = gtk_list_box_row_new ();

  g_object_set_data_full (G_OBJECT (row), "chat", g_memdup2 (&chat_id, sizeof chat_id), g_free);
  gtk_list_box_row_set_child (GTK_LIST_BOX_ROW (row), child);
  gtk_accessible_update_relation (GTK_ACCESSIBLE (row), GTK_ACCESSIBLE_RELATION_LABELLED_BY, title, NULL, -1);
  return row;
}

static void
title_changed_cb (FacetChat *chat, GParamSpec *pspec, GtkLabel *label)
{
  const char *title = facet_chat_get_title (chat);

  gtk_label_set_text (label, *title != '\0' ? title : _("New Chat"));
  facet_widget_follow_text (GTK_WIDGET (label), title);
}

static GtkWidget *
create_chat_row_cb (gpointer item, gpointer data)
{
  FacetChat *chat = item;
  GtkWidget *box = gtk_box_new (GTK_ORIENTATION_HORIZONTAL, 6);
  GtkWidget *label = line (NULL);
  GtkWidget *pin = gtk_image_new_from_icon_name ("view-pin-symbolic");

  gtk_widget_set_hexpand (label, TRUE);
  gtk_box_append (GTK_BOX (box), label);
  gtk_box_append (GTK_BOX (box), pin);
  gtk_accessible_update_property (GTK_ACCESSIBLE (pin), GTK_ACCESSIBLE_PROPERTY_LABEL, _("Pinned"), -1);
  g_object_bind_property (chat, "pinned", pin, "visible", G_BINDING_SYNC_CREATE);
  g_signal_connect_object (chat, "notify::title", G_CALLBACK (title_changed_cb), label, 0);
  title_changed_cb (chat, NULL, GTK_LABEL (label));
  return row_for (facet_chat_get_id (chat), box, label);
}

/* ---- search ------------------------------------------------------------- */

static GtkWidget *
hit_row (const FacetStoreHit *hit)
{
  GtkWidget *row;
  GtkWidget *box = gtk_box_new (GTK_ORIENTATION_VERTICAL, 2);
  GtkWidget *title = line ("heading");
  GtkWidget *snippet = line ("caption");
  PangoAttrList *bold = pango_attr_list_new ();

  for (guint i = 0; i < hit->ranges->len; i++) {
    const FacetTextRange *range = &g_array_index (hit->ranges, FacetTextRange, i);
    PangoAttribute *attribute = pango_attr_weight_new (PANGO_WEIGHT_BOLD);

    attribute->start_index = range->start;
    attribute->end_index = range->end;
    pango_attr_list_insert (bold, attribute);
  }
  gtk_label_set_text (GTK_LABEL (title), hit->title);
  gtk_label_set_text (GTK_LABEL (snippet), hit->snippet);
  gtk_label_set_attributes (GTK_LABEL (snippet), bold);
  pango_attr_list_unref (bold);
  facet_widget_follow_text (title, hit->title);
  facet_widget_follow_text (snippet, hit->snippet);
  gtk_widget_set_visible (snippet, *hit->snippet != '\0');
  gtk_box_append (GTK_BOX (box), title);
  gtk_box_append (GTK_BOX (box), snippet);
  row = row_for (hit->chat_id, box, title);
  gtk_accessible_update_property (GTK_ACCESSIBLE (row), GTK_ACCESSIBLE_PROPERTY_DESCRIPTION, hit->snippet, -1);
  return row;
}

static void
found_cb (GObject *store, GAsyncResult *result, gpointer data)
{
  g_autoptr (FacetWindow) self = data;
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) hits = facet_store_search_finish (FACET_STORE (store), result, &error);
  GtkListBoxRow *row;

  if (hits == NULL) {
    if (!g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
      facet_window_say (self, error->message);
    return;
  }
  while ((row = gtk_list_box_get_row_at_index (self->hits, 0)) != NULL)
    gtk_list_box_remove (self->hits, GTK_WIDGET (row));
  for (guint i = 0; i < hits->len; i++)
    gtk_list_box_append (self->hits, hit_row (hits->pdata[i]));
  gtk_stack_set_visible_child (self->lists, GTK_WIDGET (self->hits));
}

static void
search_cb (FacetWindow *self)
{
  const char *query = gtk_editable_get_text (self->search);

  g_cancellable_cancel (self->searching);
  g_clear_object (&self->searching);
  if (*query == '\0') {
    gtk_stack_set_visible_child (self->lists, GTK_WIDGET (self->chats));
    return;
  }
  self->searching = g_cancellable_new ();
  facet_store_search_async (self->store, query, MAX_HITS, self->searching, found_cb, g_object_ref (self));
}

static void
stop_search_cb (FacetWindow *self)
{
  gtk_editable_set_text (self->search, "");
}

static void
removed_cb (FacetWindow *self, gint64 chat_id)
{
  if (facet_conversation_get_chat_id (self->conversation) == chat_id)
    _facet_window_new_chat (self);
}

static GtkWidget *
placeholder (const char *text)
{
  GtkWidget *label = gtk_label_new (text);

  gtk_widget_add_css_class (label, "dim-label");
  gtk_widget_set_margin_top (label, 24);
  return label;
}

void
_facet_window_setup_chats (FacetWindow *self)
{
  self->chat_list = facet_chat_list_new (self->store);
  gtk_list_box_bind_model (self->chats, G_LIST_MODEL (self->chat_list), create_chat_row_cb, self, NULL);
  g_signal_connect (self->chats, "row-activated", G_CALLBACK (activated_cb), self);
  gtk_list_box_set_placeholder (self->chats, placeholder (_("No Chats Yet")));
  gtk_list_box_set_placeholder (self->hits, placeholder (_("Nothing found")));
  g_signal_connect (self->hits, "row-activated", G_CALLBACK (activated_cb), self);
  g_signal_connect_swapped (self->search, "search-changed", G_CALLBACK (search_cb), self);
  g_signal_connect_swapped (self->search, "stop-search", G_CALLBACK (stop_search_cb), self);
  g_signal_connect_object (self->store, "chat-removed", G_CALLBACK (removed_cb), self, G_CONNECT_SWAPPED);
}
