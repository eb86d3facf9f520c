#define G_LOG_DOMAIN "facet"

#include "config.h"

#include <glib/gi18n-lib.h>

#include "facet-spoken-names.h"

#include "facet-announce.h"

static gboolean
is_kind (GtkWidget *widget, const char *type)
{
  return g_str_equal (G_OBJECT_TYPE_NAME (widget), type);
}

static gboolean
is_within (GtkWidget *widget, const char *type)
{
  while (widget != NULL && !is_kind (widget, type))
    widget = gtk_widget_get_parent (widget);
  return widget != NULL;
}

static void
set_name (GtkWidget *widget, const char *name)
{
  gtk_accessible_update_property (GTK_ACCESSIBLE (widget), GTK_ACCESSIBLE_PROPERTY_LABEL, name, -1);
}

static void
name_after (GtkWidget *widget, GtkWidget *other)
{
  gtk_accessible_update_relation (GTK_ACCESSIBLE (widget), GTK_ACCESSIBLE_RELATION_LABELLED_BY, other, NULL, -1);
}

static GtkWidget *
find_label (GtkWidget *widget)
{
  GtkWidget *found = GTK_IS_LABEL (widget) ? widget : NULL;

  for (GtkWidget *child = gtk_widget_get_first_child (widget); found == NULL && child != NULL; child = gtk_widget_get_next_sibling (child))
    found = find_label (child);
  return found;
}

/* ---- buttons ------------------------------------------------------------ */

static void
name_button (GtkButton *button)
{
  GtkWidget *content = gtk_button_get_child (button);

  if (content != NULL && GTK_IS_IMAGE (content))
    gtk_accessible_update_state (GTK_ACCESSIBLE (content), GTK_ACCESSIBLE_STATE_HIDDEN, TRUE, -1);
  if (gtk_button_get_use_underline (button))
    gtk_accessible_reset_property (GTK_ACCESSIBLE (button), GTK_ACCESSIBLE_PROPERTY_LABEL);
}

/* In windows of the toolkits, whose buttons nobody else names. */
static void
name_foreign_button (GtkButton *button)
{
  GtkWidget *widget = GTK_WIDGET (button);
  const char *icon = gtk_button_get_icon_name (button);
  const char *tooltip = gtk_widget_get_tooltip_text (widget);

  if (is_within (widget, "AdwToastWidget")) {
    if (icon != NULL)
      set_name (widget, _("Dismiss"));
  } else if (is_within (widget, "AdwAboutWindow")) {
    if (icon != NULL && tooltip != NULL)
      set_name (widget, tooltip);
    else if (gtk_button_get_label (button) == NULL && find_label (widget) != NULL)
      name_after (widget, find_label (widget));
  } else if (is_within (widget, "GtkShortcutsWindow") && g_strcmp0 (icon, "edit-find-symbolic") == 0) {
    set_name (widget, _("Search the shortcuts"));
  }
}

/* Inside it is another button, which has the focus, and would be called as the
 * words on it. */
static void
name_menu_button (GtkMenuButton *button)
{
  GtkWidget *inner = gtk_widget_get_first_child (GTK_WIDGET (button));

  gtk_accessible_reset_property (GTK_ACCESSIBLE (inner), GTK_ACCESSIBLE_PROPERTY_LABEL);
  name_after (inner, GTK_WIDGET (button));
}

static void
name_expander (GtkExpander *expander)
{
  const char *label = gtk_expander_get_label (expander);

  if (label != NULL)
    set_name (GTK_WIDGET (expander), label);
}

/* ---- lists and texts ---------------------------------------------------- */

static const char *
title_or_null (const char *title)
{
  return title != NULL && *title != '\0' ? title : NULL;
}

/* Of this group, or of the one above that it goes on with. */
static const char *
group_title (GtkWidget *group)
{
  const char *title = NULL;

  for (; title == NULL && group != NULL && ADW_IS_PREFERENCES_GROUP (group); group = gtk_widget_get_prev_sibling (group))
    title = title_or_null (adw_preferences_group_get_title (ADW_PREFERENCES_GROUP (group)));
  return title;
}

static const char *
bar_title (GtkWidget *box)
{
  GtkWidget *bar = gtk_widget_get_first_child (box);
  GtkWidget *title = bar != NULL && GTK_IS_HEADER_BAR (bar) ? gtk_header_bar_get_title_widget (GTK_HEADER_BAR (bar)) : NULL;

  return title != NULL && ADW_IS_WINDOW_TITLE (title) ? title_or_null (adw_window_title_get_title (ADW_WINDOW_TITLE (title))) : NULL;
}

/* What people read above @widget. */
static const char *
heading_of (GtkWidget *widget)
{
  const char *heading = NULL;

  for (GtkWidget *at = widget; heading == NULL && at != NULL; at = gtk_widget_get_parent (at)) {
    if (ADW_IS_PREFERENCES_GROUP (at))
      heading = group_title (at);
    else if (ADW_IS_PREFERENCES_PAGE (at))
      heading = title_or_null (adw_preferences_page_get_title (ADW_PREFERENCES_PAGE (at)));
    else if (GTK_IS_BOX (at))
      heading = bar_title (at);
    else if (GTK_IS_WINDOW (at))
      heading = gtk_window_get_title (GTK_WINDOW (at));
  }
  return heading;
}

static void
name_list (GtkWidget *list)
{
  GtkWidget *group = gtk_widget_get_ancestor (list, ADW_TYPE_PREFERENCES_GROUP);
  const char *heading = heading_of (list);

  if (group != NULL && title_or_null (adw_preferences_group_get_title (ADW_PREFERENCES_GROUP (group))) == NULL && heading != NULL)
    set_name (list, heading);
}

static void
name_text (GtkWidget *view)
{
  const char *heading = is_within (view, "AdwAboutWindow") ? heading_of (view) : NULL;

  if (heading != NULL)
    set_name (view, heading);
}

static void
name_search (GtkWidget *entry)
{
  if (is_within (entry, "GtkShortcutsWindow"))
    set_name (entry, _("Search the shortcuts"));
}

/* What pops up under a combo row, and what is listed there. */
static void
name_list_view (GtkWidget *view)
{
  GtkWidget *row = gtk_widget_get_ancestor (view, ADW_TYPE_COMBO_ROW);

  if (row != NULL)
    set_name (view, adw_preferences_row_get_title (ADW_PREFERENCES_ROW (row)));
}

static void
name_list_item (GtkWidget *item)
{
  GtkWidget *label = find_label (item);

  if (label != NULL)
    name_after (item, label);
}

/* ---- around them -------------------------------------------------------- */

/* What is on a page says enough: without a name, the page is passed over. */
static void
name_pages (GtkStack *stack)
{
  g_autoptr (GListModel) pages = G_LIST_MODEL (gtk_stack_get_pages (stack));

  for (guint i = 0; i < g_list_model_get_n_items (pages); i++) {
    g_autoptr (GObject) page = g_list_model_get_item (pages, i);
    const char *title = gtk_stack_page_get_title (GTK_STACK_PAGE (page));

    gtk_accessible_update_property (GTK_ACCESSIBLE (page), GTK_ACCESSIBLE_PROPERTY_LABEL, title != NULL ? title : "", -1);
  }
}

static void
name_menu (GtkWidget *menu)
{
  GtkWidget *button = gtk_widget_get_parent (menu);

  if (button != NULL && GTK_IS_MENU_BUTTON (button))
    name_after (menu, button);
}

static void
name_tabs (GtkWidget *switcher)
{
  const char *heading = heading_of (switcher);

  if (heading != NULL)
    set_name (switcher, heading);
}

/* ---- toasts ------------------------------------------------------------- */

/* They come and go without the focus. */
static void
announce_toast (GtkWidget *widget)
{
  GtkRoot *root = gtk_widget_get_root (widget);
  g_autoptr (AdwToast) toast = NULL;
  g_autofree char *sentence = NULL;

  g_object_get (widget, "toast", &toast, NULL);
  if (toast != NULL && pango_parse_markup (adw_toast_get_title (toast), -1, 0, NULL, &sentence, NULL, NULL))
    facet_announce (GTK_WINDOW (root), sentence);
}

/* ---- everything --------------------------------------------------------- */

/* Each new label or icon brings the wrong name again. */
static void
watch (GtkWidget *widget)
{
  if (g_object_get_data (G_OBJECT (widget), "named") != NULL)
    return;
  g_object_set_data (G_OBJECT (widget), "named", widget);
  if (GTK_IS_MENU_BUTTON (widget)) {
    g_signal_connect (widget, "notify::label", G_CALLBACK (name_menu_button), NULL);
    name_menu_button (GTK_MENU_BUTTON (widget));
  } else if (GTK_IS_EXPANDER (widget)) {
    g_signal_connect (widget, "notify::label", G_CALLBACK (name_expander), NULL);
    name_expander (GTK_EXPANDER (widget));
  } else {
    g_signal_connect (widget, "notify::label", G_CALLBACK (name_button), NULL);
    g_signal_connect (widget, "notify::icon-name", G_CALLBACK (name_button), NULL);
    name_button (GTK_BUTTON (widget));
    name_foreign_button (GTK_BUTTON (widget));
  }
}

static void
name_widget (GtkWidget *widget)
{
  if (GTK_IS_BUTTON (widget) || GTK_IS_MENU_BUTTON (widget) || GTK_IS_EXPANDER (widget))
    watch (widget);
  else if (GTK_IS_LIST_BOX (widget))
    name_list (widget);
  else if (GTK_IS_TEXT_VIEW (widget))
    name_text (widget);
  else if (GTK_IS_SEARCH_ENTRY (widget))
    name_search (widget);
  else if (GTK_IS_LIST_VIEW (widget))
    name_list_view (widget);
  else if (is_kind (widget, "GtkListItemWidget"))
    name_list_item (widget);
  else if (GTK_IS_STACK (widget))
    name_pages (GTK_STACK (widget));
  else if (GTK_IS_POPOVER_MENU (widget))
    name_menu (widget);
  else if (ADW_IS_VIEW_SWITCHER (widget))
    name_tabs (widget);
}

static void
name_all (GtkWidget *widget)
{
  name_widget (widget);
  for (GtkWidget *child = gtk_widget_get_first_child (widget); child != NULL; child = gtk_widget_get_next_sibling (child))
    name_all (child);
}

/* Windows keep widgets that are not mapped: other pages, buttons for another width. */
static gboolean
mapped_cb (GSignalInvocationHint *hint, guint n_values, const GValue *values, gpointer data)
{
  GtkWidget *widget = g_value_get_object (values);

  if (GTK_IS_WINDOW (widget))
    name_all (widget);
  else if (is_kind (widget, "AdwToastWidget"))
    announce_toast (widget);
  else
    name_widget (widget);
  return TRUE;
}

void
facet_spoken_names_set_up (void)
{
  g_autoptr (GTypeClass) widgets = g_type_class_ref (GTK_TYPE_WIDGET); /* which has the signal */

  g_signal_add_emission_hook (g_signal_lookup ("map", G_TYPE_FROM_CLASS (widgets)), 0, mapped_cb, NULL, NULL);
}
